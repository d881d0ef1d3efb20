/** An operation that MPI has begun. Memory that was given to it is held by it, and must stay where it is
 * and be left alone until it is done. */
export interface MpiRequest {
  /**
   * Asks, and lets MPI get on with all that is under way: without being asked it may do nothing at all.
   * @throws RingstrasseError COLLECTIVE_UNAVAILABLE when MPI has failed; WORKER_DIED as {@link Mpi}
   */
  isDone(): boolean;
  /** Gives up a receive that nobody will answer. Nothing may be asked of the request afterwards. */
  abandon(): void;
}

/**
 * The part of MPI that is needed here, on the communicator of all ranks. Calls come from one thread at a time. Nothing waits: progress
 * is asked for, so that a peer that is dead or hangs holds nobody up. All but `size` and `rank`
 * @throws RingstrasseError COLLECTIVE_UNAVAILABLE with what MPI says; WORKER_DIED when the process that calls MPI for this rank is gone.
 */
export interface Mpi {
  /** As the library calls itself. */
  readonly version: string;
  readonly rank: number;
  readonly size: number;
  /** `bytes` may be any memory that does not move: of WebAssembly, or a buffer of more than 64 bytes. */
  send(bytes: Uint8Array, to: number, tag: number): MpiRequest;
  /** `into` must be at least as large as what comes. */
  receive(into: Uint8Array, from: number, tag: number): MpiRequest;
  /** Rank `root`'s bytes to all; the same length everywhere. */
  broadcast(bytes: Uint8Array, root: number): MpiRequest;
  /**
   * The sums over all ranks, in an order that MPI chooses. `into` is of `values`' type and length, and not in its place: MPI's libraries
   * have better ways then.
   */
  sum<Numbers extends Float32Array | Float64Array>(values: Numbers, into: Numbers): MpiRequest;
  /** When all ranks end well; waits for them. In the thread that began MPI; nothing may be asked of it afterwards. */
  finalize(): Promise<void>;
}
