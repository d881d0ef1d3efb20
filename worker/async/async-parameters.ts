import type { PushPull, PushPullReport } from "./push-pull.js";

/** Numbers that are added up over all workers. */
export interface ScalarSum {
  readonly totals: Float64Array;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/**
 * The parameters of an asynchronous job, as one worker reaches them. All updates are applied one after the other, each wholly; what a worker
 * pulls is as it is after its own push. One call at a time.
 */
export interface AsyncParameters extends AsyncDisposable {
  /**
   * Hands in this worker's gradients and takes what they have made of the parameters. Waits for nobody but those whose turn it is, and for
   * the slowest where this worker would get too far ahead of it.
   * @throws the signal's reason when aborted. @throws RingstrasseError PROTOCOL_VIOLATION, ENDPOINT_UNAVAILABLE
   */
  pushPull(request: PushPull, signal: AbortSignal): Promise<PushPullReport>;
  /** Sums over all workers, folded in the order of their ranks; resolves when all have called it: a barrier. @throws like {@link pushPull} */
  sum(values: Float64Array, signal: AbortSignal): Promise<ScalarSum>;
}
