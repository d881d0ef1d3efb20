import { ADDRESSABLE_BYTES } from "../../shared/address-space.js";
import { type ArenaJob, jobArenaDemand } from "../../shared/arena-demand.js";
import { arenaBytes } from "../../shared/arena-places.js";
import type { CollectiveName } from "../../shared/collective-choice.js";
import type { Failure } from "../../shared/failure.js";
import type { GroupPolicy } from "./group-policy.js";
import { ringLinks, shareMemory } from "./ring-links.js";
import type { WorkerRecord } from "./worker-record.js";

/** Most that `auto` takes of a host's memory for the arenas of a window. */
const MOST_WINDOW_BYTES = 2 ** 31;
const FLOAT32_BYTES = 4;
const OF_ONE_HOST: readonly CollectiveName[] = ["shm", "hierarchical"];

export type CollectiveDecision =
  | {
      readonly kind: "settled";
      /** `local`: one worker exchanges with nobody. */
      readonly collective: "local" | CollectiveName;
      /** Whether it folds in the canonical order, which gives the same bits for any number of workers. */
      readonly ordered: boolean;
      /** For people. */
      readonly reason: string;
    }
  /** The workers measure the candidates as soon as they are connected, and take the fastest. */
  | { readonly kind: "measure"; readonly candidates: readonly CollectiveName[]; readonly reason: string }
  /** What was asked for can't be done by these workers. */
  | { readonly kind: "impossible"; readonly failure: Failure };

/**
 * How these workers exchange: as was asked for, else the faster of the two that suit their hosts. Where neighbours share
 * memory the hierarchical ring is one, since it does no worse than the plain one there; the other is shm when all share memory, else the
 * plain ring. What was asked for and these workers are too far apart for is refused here: they themselves would wait for each other. A window of shm holds the gradients of all replicas: where it has no room, beside all else
 * that the job needs of a worker's memory, shm is none of the two. Every choice that is ordered gives the same bits, so that a measurement may decide between them. Pure.
 * @param workers by rank
 */
export function chooseCollective(
  { collective, transport, mpiMode }: Pick<GroupPolicy, "collective" | "transport" | "mpiMode">,
  workers: readonly WorkerRecord[],
  job: ArenaJob,
): CollectiveDecision {
  if (workers.length === 1) return settled("local", "one worker exchanges with nobody");
  const links = ringLinks(workers, { collectives: [], transport });
  const inside = links.filter(({ sharesMemory }) => sharesMemory.withNext).length;
  const hops = `${inside} of ${links.length} hops are inside a host`;
  if (collective === "mpi" && mpiMode !== "ordered") {
    return { ...settled(collective, `mpi was asked for, in MPI's own order (${mpiMode})`), ordered: false };
  }
  if (collective === "hierarchical") return settled(collective, `hierarchical was asked for: ${hops}`);
  const ground = neededGround({ collective, transport }, inside);
  const failure = ground === null ? null : tooFarApart(ground, collective === "auto" ? "ring" : collective, workers);
  if (failure !== null) return { kind: "impossible", failure };
  if (collective !== "auto") return settled(collective, `${collective} was asked for`);
  if (inside === links.length && hasRoomForWindow(job, workers.length))
    return measure(OF_ONE_HOST, "all workers share this host's memory");
  if (inside > 0) return measure(["hierarchical", "ring"], hops);
  const apart = workers.find(({ join }) => join.memoryDomain === null);
  if (apart === undefined) return settled("ring", "ring, since every worker is on a host or in a container of its own");
  const why = apart.join.sharingProblem ?? "it doesn't say why";
  return settled("ring", `ring, since worker ${apart.workerId} can't share memory: ${why}`);
}

/** Whether every worker's memory holds the window and all else. Rank 0 has as many replicas as any, and may have to serve the others. */
function hasRoomForWindow(job: ArenaJob, worldSize: number): boolean {
  const demand = jobArenaDemand(job, { rank: 0, worldSize, isServer: true, collectives: OF_ONE_HOST });
  // Gradients of all replicas, and two sets of sums; what else lies in a window doesn't count.
  const sharedBytes = (job.replicas + 2) * demand.layout.paddedLength * FLOAT32_BYTES;
  return sharedBytes <= MOST_WINDOW_BYTES && arenaBytes(demand) <= ADDRESSABLE_BYTES;
}

/** What workers must have in common, each of them with the first, and thereby all. */
interface Ground {
  readonly isCommon: (one: WorkerRecord, other: WorkerRecord) => boolean;
  readonly name: string;
  readonly remedy: string;
}

const SHARED_MEMORY: Ground = {
  isCommon: shareMemory,
  name: "memory",
  remedy: "Use --collective auto, hierarchical or ring",
};

/** For unix sockets; where one of two can't share memory their hosts' names have to tell. */
const SHARED_FILES: Ground = {
  isCommon: (one, other) => {
    const areKnown = one.join.memoryDomain !== null && other.join.memoryDomain !== null;
    return areKnown ? shareMemory(one, other) : one.join.host === other.join.host;
  },
  name: "files, where --transport ipc has its sockets",
  remedy: "Use --transport tcp",
};

/** Null: what was asked for needs none. */
function neededGround(
  { collective, transport }: Pick<GroupPolicy, "collective" | "transport">,
  inside: number,
): Ground | null {
  if (collective === "shm") return SHARED_MEMORY;
  // Others choose their links hop by hop, or have none.
  const goesByTransport = collective === "ring" || collective === "parameter-server";
  const isLeftWithRing = collective === "auto" && inside === 0;
  return transport === "ipc" && (goesByTransport || isLeftWithRing) ? SHARED_FILES : null;
}

/** Names two workers that don't have it in common; null: all do. */
function tooFarApart(ground: Ground, collective: string, workers: readonly WorkerRecord[]): Failure | null {
  const [first, ...others] = workers;
  const apart = others.find((worker) => first !== undefined && !ground.isCommon(first, worker));
  if (first === undefined || apart === undefined) return null;
  const [one, other] = [first, apart].map(({ workerId, join }) => `worker ${workerId} on ${join.host}`);
  const why = first.join.sharingProblem ?? apart.join.sharingProblem;
  const problem = `${one} and ${other} share no ${ground.name}${why === undefined ? "" : ` (${why})`}`;
  return { code: "COLLECTIVE_UNAVAILABLE", collective, problem, remedy: ground.remedy };
}

function settled(collective: "local" | CollectiveName, reason: string) {
  return { kind: "settled", collective, ordered: true, reason } as const;
}

function measure(candidates: readonly CollectiveName[], why: string): CollectiveDecision {
  return { kind: "measure", candidates, reason: `${candidates.join(" or ")} by measurement, since ${why}` };
}
