import { RingstrasseError } from "../failure.js";
import { expandHostList } from "./host-list.js";
import type { LaunchedPlace } from "./launched-place.js";

/** Where ranks that no MPI brings together look for rank 0. */
export interface MeetingPlace {
  /** Rank 0's host, as its peers call it; null: all ranks are on one host. */
  readonly host: string | null;
  /** Whether this process is on that host too. */
  readonly isHere: boolean;
  /** Another of the hosts, as far as the launcher tells them: the way to it is the way to the peers. */
  readonly peer: string | null;
  /** Rank 0 takes the first that is free; the others try all. */
  readonly ports: readonly number[];
  /** What tells these ranks from those of any other run, e.g. `slurm 17.0`. */
  readonly scope: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Below what systems take for outgoing connections (32768 and up), above what services have. */
const FIRST_PORT = 15_000;
const PORT_SPAN = 16_000;
/** Strangers may have the first; nobody has eight in a row by chance. */
const PORT_COUNT = 8;

/**
 * Where the ranks of this launcher meet, from the variables that it gave them. `MASTER_ADDR` and `MASTER_PORT` say so to all; under Slurm
 * it is else the step's first host, and ports that follow from the numbers of job and step. Pods have their ports for themselves, so
 * those of Kubernetes need no `MASTER_PORT`. Pure.
 * @param place of this process; its launcher is `slurm`, `torchrun` or `kubernetes`
 * @throws RingstrasseError USAGE naming the variable that doesn't fit
 */
export function meetingPlace(place: LaunchedPlace, environment: Environment): MeetingPlace {
  const { MASTER_ADDR: host, MASTER_PORT: port, SLURM_NODEID: node } = environment;
  const onSlurm = place.launcher === "slurm";
  if (place.launcher === "kubernetes" && host === undefined && !place.isOneHost) {
    throw unusable("MASTER_ADDR", "it is missing, and with it the name of the pod of index 0");
  }
  const hosts = onSlurm && !place.isOneHost && host === undefined ? hostsOfStep(environment) : [];
  const scope = onSlurm
    ? scopeOfStep(environment)
    : `${place.launcher} ${environment["TORCHELASTIC_RUN_ID"] ?? ""} ${host} ${port}`;
  const first = port === undefined ? portOfScope(scope) : givenPort(port);
  const ports = Array.from({ length: PORT_COUNT }, (_, next) => first + next).filter((each) => each < 65_536);
  if (place.isOneHost) return { host: null, isHere: true, peer: null, ports, scope };
  const isSought = hosts.length > 0;
  if (isSought && place.rank === 0 && node !== "0") {
    throw unusable("SLURM_NODEID", `rank 0 is on node ${node} of its step, where the others don't look for it`);
  }
  const isHere = isSought ? node === "0" : place.localRank === place.rank || place.rank === 0;
  return { host: host ?? hosts[0] ?? null, isHere, peer: hosts[1] ?? null, ports, scope };
}

function hostsOfStep(environment: Environment): string[] {
  const name = environment["SLURM_STEP_NODELIST"] === undefined ? "SLURM_JOB_NODELIST" : "SLURM_STEP_NODELIST";
  const list = environment[name];
  if (list === undefined) throw unusable(name, "it is missing, and with it the names of the hosts");
  const hosts = expandHostList(list);
  if (hosts === null || hosts.length < 2) throw unusable(name, `"${list}" is no list of several hosts`);
  return hosts;
}

/** A job that is started again is another one. */
function scopeOfStep(environment: Environment): string {
  const { SLURM_JOB_ID: job, SLURM_STEP_ID: step, SLURM_RESTART_COUNT: restart = "0" } = environment;
  return `slurm ${job}.${step} ${restart}`;
}

/** Jobs of one host come in numbers next to each other: these get ports that are far apart. FNV-1a. */
function portOfScope(scope: string): number {
  let hash = 0x811c9dc5;
  for (const character of scope) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return FIRST_PORT + (hash % PORT_SPAN);
}

function givenPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw unusable("MASTER_PORT", `"${text}" is no port`);
  return port;
}

function unusable(option: string, problem: string): RingstrasseError {
  const remedy = "Give all ranks MASTER_ADDR, the address of rank 0's host, and MASTER_PORT, a port that is free there";
  return new RingstrasseError({ code: "USAGE", option, problem, remedy });
}
