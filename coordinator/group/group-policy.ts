import type { CollectiveName, MpiMode } from "../../shared/collective-choice.js";

/** How a group of workers is formed and watched. */
export interface GroupPolicy {
  /** N. */
  readonly workers: number;
  readonly joinTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly silentAfterMs: number;
  readonly stalledAfterMs: number;
  /** Of the ring. */
  readonly transport: "tcp" | "ipc";
  /** `auto`: see `chooseCollective`. */
  readonly collective: "auto" | CollectiveName;
  /** Of the collective `mpi`. */
  readonly mpiMode: MpiMode;
  /** Links over tcp are encrypted. */
  readonly encrypt: boolean;
  /** To inject, see worker/fault. */
  readonly faults: readonly string[];
}
