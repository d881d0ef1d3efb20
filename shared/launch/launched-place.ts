import { RingstrasseError } from "../failure.js";

/** Whoever started this process as one of several ranks. */
export type RankLauncher = "openmpi" | "pmi" | "pmix" | "slurm" | "torchrun" | "kubernetes";

/** This process among those that one launcher started together. */
export interface LaunchedPlace {
  readonly launcher: RankLauncher;
  readonly rank: number;
  readonly worldSize: number;
  /** Among the ranks of its host; null: the launcher doesn't say. */
  readonly localRank: number | null;
  /** How many ranks this host has; null: the launcher doesn't say. */
  readonly localSize: number | null;
  /** Whether all ranks are on one host; false too where the launcher doesn't say. */
  readonly isOneHost: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The variables by which one launcher tells a process its place. */
interface Convention {
  readonly launcher: RankLauncher;
  readonly rank: string;
  /** The first that is there counts. */
  readonly worldSize: readonly string[];
  /** Null: the launcher doesn't say. */
  readonly localRank: string | null;
  /** Null likewise. */
  readonly localSize: string | null;
  /** How many hosts there are; the first that is there counts. */
  readonly hostCount: readonly string[];
  /** Must be there, or the others don't speak of this process. */
  readonly needs: readonly string[];
  /** Of a launcher that was started by this one; its variables count where they are there. */
  readonly unless: readonly string[];
}

/** `SLURM_INTERACTIVE_STEP` of slurm.h: the step of the shell that `salloc` opens on a node. */
const INTERACTIVE_STEP = "4294967290";

/**
 * The first whose variables are there counts: what is outermost comes last. Under `mpirun` inside a Slurm batch job Slurm's variables
 * are those of the job's one batch process, the same on every rank.
 */
const CONVENTIONS: readonly Convention[] = [
  {
    launcher: "openmpi",
    rank: "OMPI_COMM_WORLD_RANK",
    worldSize: ["OMPI_COMM_WORLD_SIZE"],
    localRank: "OMPI_COMM_WORLD_LOCAL_RANK",
    localSize: "OMPI_COMM_WORLD_LOCAL_SIZE",
    hostCount: [],
    needs: [],
    unless: [],
  },
  {
    launcher: "pmi",
    rank: "PMI_RANK",
    worldSize: ["PMI_SIZE"],
    localRank: "MPI_LOCALRANKID",
    localSize: "MPI_LOCALNRANKS",
    // Of the step, where srun --mpi=pmi2 has started the ranks.
    hostCount: ["SLURM_STEP_NUM_NODES"],
    needs: [],
    unless: [],
  },
  {
    launcher: "pmix",
    rank: "PMIX_RANK",
    // PMIx has no variable for it; Slurm, which is who starts ranks by PMIx alone, has.
    worldSize: ["SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"],
    localRank: "SLURM_LOCALID",
    localSize: "SLURM_STEP_TASKS_PER_NODE",
    hostCount: ["SLURM_STEP_NUM_NODES", "SLURM_NNODES"],
    needs: [],
    unless: [],
  },
  {
    launcher: "slurm",
    rank: "SLURM_PROCID",
    worldSize: ["SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"],
    localRank: "SLURM_LOCALID",
    localSize: "SLURM_STEP_TASKS_PER_NODE",
    hostCount: ["SLURM_STEP_NUM_NODES", "SLURM_NNODES"],
    needs: ["SLURM_STEP_ID"],
    unless: [],
  },
  {
    // A Job in completion mode Indexed. Its pods know their index, and how many they are by a variable that the manifest sets: without
    // that each of them trains alone, as with any other image.
    launcher: "kubernetes",
    rank: "JOB_COMPLETION_INDEX",
    worldSize: ["WORLD_SIZE"],
    localRank: null,
    localSize: null,
    hostCount: [],
    needs: ["JOB_COMPLETION_INDEX", "WORLD_SIZE"],
    // torchrun in each of the pods.
    unless: ["RANK"],
  },
  {
    launcher: "torchrun",
    rank: "RANK",
    worldSize: ["WORLD_SIZE"],
    localRank: "LOCAL_RANK",
    localSize: "LOCAL_WORLD_SIZE",
    hostCount: [],
    // Plain names that anything may have set: without the process group's address they are nobody's ranks.
    needs: ["MASTER_ADDR", "MASTER_PORT"],
    unless: [],
  },
];

/**
 * Which rank this process is, from its environment; null: it was started alone, or from a shell that Slurm has opened on a node. Pure.
 * @throws RingstrasseError USAGE for variables that are incomplete or contradict each other, naming them
 */
export function launchedPlace(environment: Environment): LaunchedPlace | null {
  for (const convention of CONVENTIONS) {
    const { rank, worldSize, needs, unless } = convention;
    if (needs.some((name) => environment[name] === undefined)) continue;
    if (unless.some((name) => environment[name] !== undefined)) continue;
    const sizeName = worldSize.find((name) => environment[name] !== undefined);
    // Slurm's own sizes are there without PMIx too: they alone say nothing about it.
    const speaks = environment[rank] !== undefined || (sizeName !== undefined && convention.launcher !== "pmix");
    if (!speaks) continue;
    const place = placeOf(convention, sizeName, environment);
    if (!isSlurmShell(place, environment)) return place;
  }
  return null;
}

/**
 * Whether a place is that of the one task of a Slurm step in which a person works, by `salloc` or `srun --pty`: nobody's rank, and so is
 * what is started there, as long as nothing that starts ranks has given it variables of its own beside those that it inherits.
 */
function isSlurmShell({ launcher, worldSize }: LaunchedPlace, environment: Environment): boolean {
  const isSlurms =
    launcher === "slurm" ||
    launcher === "pmix" ||
    // MPICH's mpirun says this too.
    (launcher === "pmi" && environment["MPI_LOCALNRANKS"] === undefined);
  const isInteractive =
    environment["SLURM_STEP_ID"] === INTERACTIVE_STEP || environment["SLURM_PTY_PORT"] !== undefined;
  return worldSize === 1 && isSlurms && isInteractive;
}

function placeOf(convention: Convention, sizeName: string | undefined, environment: Environment): LaunchedPlace {
  const { launcher, rank: rankName, worldSize: sizeNames, localRank: localRankName, localSize } = convention;
  if (environment[rankName] === undefined) throw incomplete(sizeName ?? "", rankName);
  if (sizeName === undefined) throw incomplete(rankName, sizeNames.join(" or "));
  const rank = wholeNumberOf(rankName, environment);
  const worldSize = wholeNumberOf(sizeName, environment);
  if (rank === null || worldSize === null || rank >= worldSize) {
    throw contradictory(`${rankName} is "${environment[rankName]}", ${sizeName} is "${environment[sizeName]}"`);
  }
  const localRank = localRankName === null ? null : wholeNumberOf(localRankName, environment);
  const localCount = localSize === null ? null : localCountOf(environment[localSize]);
  if (localRank !== null && localRank > rank) {
    throw contradictory(`${localRankName} is ${localRank}, more than the ${rank} of ${rankName}`);
  }
  if (localCount !== null && localCount > worldSize) {
    throw contradictory(`${localSize} is ${localCount}, more than the ${worldSize} of ${sizeName}`);
  }
  const hostCountName = convention.hostCount.find((name) => environment[name] !== undefined);
  // Of the hosts Slurm may be speaking for the shell that the ranks were started from.
  const isLocal = localCount === null ? environment[hostCountName ?? ""] === "1" : localCount === worldSize;
  const isOneHost = worldSize === 1 || isLocal;
  return { launcher, rank, worldSize, localRank, localSize: isOneHost ? worldSize : localCount, isOneHost };
}

/** What people call who started the ranks: a command, or Kubernetes. */
export function launcherCommand(launcher: RankLauncher): "mpirun" | "srun" | "torchrun" | "kubernetes" {
  switch (launcher) {
    case "slurm":
      return "srun";
    case "torchrun":
    case "kubernetes":
      return launcher;
    default:
      return "mpirun";
  }
}

/** Whether the ranks have MPI to find each other by. */
export function hasMpi(launcher: RankLauncher): boolean {
  return launcherCommand(launcher) === "mpirun";
}

/** Null when absent, or not a whole number. */
function wholeNumberOf(name: string, environment: Environment): number | null {
  const text = environment[name];
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : null;
}

/** `2`, or `2(x3)` as Slurm writes it for three nodes of two; null where nodes have different numbers: nobody says which this one is. */
function localCountOf(text: string | undefined): number | null {
  const count = /^(\d{1,9})(?:\(x\d+\))?$/.exec(text ?? "")?.[1];
  return count === undefined ? null : Number(count);
}

function incomplete(present: string, missing: string): RingstrasseError {
  return unusable(`${present} is set, but ${missing} is not`);
}

function contradictory(what: string): RingstrasseError {
  return unusable(`the rank's variables contradict each other: ${what}`);
}

function unusable(problem: string): RingstrasseError {
  const remedy =
    "Start all ranks by mpirun or srun, which set them (Kubernetes: see deploy/kubernetes/job), or give --launcher local to train without ranks";
  return new RingstrasseError({ code: "USAGE", option: "environment", problem, remedy });
}
