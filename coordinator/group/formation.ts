import type { Assignment } from "./membership.js";
import type { WorkerRecord } from "./worker-record.js";

/** Who gets which place in the ring. */
export interface Formation {
  /** All idle; borrowed until the group is disposed of. */
  readonly workers: readonly WorkerRecord[];
  /** By rank, one per worker. */
  readonly assignments: readonly Assignment[];
  readonly reason: string;
}
