import { type ApiProblem, isAbort, toProblem } from "../api/api-error.js";

export interface PollOptions<T> {
  /** Reads once. */
  readonly read: (signal: AbortSignal) => Promise<T>;
  readonly loaded: (value: T) => void;
  readonly failed: (problem: ApiProblem) => void;
  readonly intervalMs: number;
  /** Ends it; no handler is called any more. */
  readonly signal: AbortSignal;
  /** Resolves early when there is a reason to read at once. Never rejects. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Reads again and again until aborted; one reading at a time, so a slow server is asked less often. Never rejects. */
export async function poll<T>(options: PollOptions<T>): Promise<void> {
  const { read, loaded, failed, intervalMs, signal, pause } = options;
  while (!signal.aborted) {
    try {
      const value = await read(signal);
      if (!signal.aborted) loaded(value);
    } catch (thrown) {
      if (!signal.aborted && !isAbort(thrown)) failed(toProblem(thrown));
    }
    await pause(intervalMs, signal);
  }
}
