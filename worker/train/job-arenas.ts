import { ADDRESSABLE_BYTES } from "../../shared/address-space.js";
import { type ArenaDemand, type ArenaJob, jobArenaDemand } from "../../shared/arena-demand.js";
import { arenaBytes } from "../../shared/arena-places.js";
import { RingstrasseError } from "../../shared/failure.js";
import { SERVER_RANK } from "../collective/parameter-server-collective.js";
import type { Assignment } from "../communication/generation-link.js";
import type { SharedMemory } from "../kernels/shared-memory.js";
import { type Arenas, allocateArenas } from "./arenas.js";

/** What of an assignment decides the arenas. */
export interface ArenaAssignment extends Pick<Assignment, "worldSize" | "collectives"> {
  readonly spec: ArenaJob;
  readonly rank: number;
}

/**
 * The arenas of this worker's part in a job.
 * @throws RingstrasseError ENGINE_UNAVAILABLE when they don't fit
 */
export function allocateJobArenas(memory: SharedMemory, assignment: ArenaAssignment): Arenas {
  const { spec, rank, worldSize, collectives } = assignment;
  const place = { rank, worldSize, isServer: rank === SERVER_RANK };
  const demand = jobArenaDemand(spec, { ...place, collectives });
  refuseWindowAlone(demand, jobArenaDemand(spec, { ...place, collectives: [] }));
  return allocateArenas(memory, demand);
}

/** Says by name what would help where it is the window that has no room. @throws RingstrasseError ENGINE_UNAVAILABLE */
function refuseWindowAlone(demand: ArenaDemand, withoutWindow: ArenaDemand): void {
  const [bytes, otherBytes] = [arenaBytes(demand), arenaBytes(withoutWindow)];
  if (demand.shared === undefined || bytes <= ADDRESSABLE_BYTES || otherBytes > ADDRESSABLE_BYTES) return;
  throw new RingstrasseError({
    code: "ENGINE_UNAVAILABLE",
    engine: "wasm",
    problem: `with the gradients of all ${demand.shared.replicas} replicas, which shm shares, the model's arenas need ${gibibytes(bytes)} of each worker's memory; the limit is 4 GiB`,
    remedy: `Use --collective hierarchical or ring: a worker holds the gradients of its own replicas alone then, and needs ${gibibytes(otherBytes)}`,
  });
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(2)} GiB`;
}
