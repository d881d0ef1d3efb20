import type { MicroBatch } from "../engine/engine.js";

/** Batches of a row file, in the order in which they are asked for. Used by one caller: `prefetch` any time, one `next` at a time. */
export interface BatchSource extends AsyncDisposable {
  /**
   * Asks for a batch: the rows with these numbers, in this order; none is allowed. Returns at once; any number may be asked for ahead.
   * @param rows copied @throws RangeError for more rows than a batch may have
   */
  prefetch(rows: Uint32Array): void;
  /**
   * The batch of the oldest request not yet given out; null for a request of no rows. A batch is valid until the next call of `next`.
   * Other events of this thread get their turn, however fast batches come.
   * @throws RingstrasseError INPUT_MISSING, DATA_INVALID: what went wrong with that request, later ones may still succeed; INTERNAL when
   *   nothing can be read any more; the signal's reason when aborted: the request then stays the oldest
   * @throws RangeError when nothing was asked for
   */
  next(signal?: AbortSignal): Promise<MicroBatch | null>;
}
