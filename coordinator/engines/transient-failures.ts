import { setTimeout as pause } from "node:timers/promises";

/** Something that may well work when it is tried again. */
export class TransientFailure extends Error {
  override readonly name = "TransientFailure";
  /** How long the other side asked to be left alone, ms; null: it didn't. */
  readonly waitMs: number | null;

  constructor(message: string, options: ErrorOptions & { readonly waitMs?: number | null } = {}) {
    super(message, options);
    this.waitMs = options.waitMs ?? null;
  }
}

export interface RetryPolicy {
  /** Tries in a row without any progress. */
  readonly attempts: number;
  /** Before the second try; doubled each time. */
  readonly firstPauseMs: number;
}

export const DEFAULT_RETRIES: RetryPolicy = { attempts: 5, firstPauseMs: 500 };

/** Longer than this nobody is kept waiting by a server's `retry-after`. */
const LONGEST_PAUSE_MS = 60_000;

export interface Retrying extends RetryPolicy {
  readonly signal: AbortSignal;
}

/**
 * Does `work` until it succeeds, with growing pauses after a {@link TransientFailure}. The count starts anew whenever
 * `work` calls
 * `progress`.
 * @throws the last TransientFailure; whatever else `work` throws, at once; the signal's reason
 */
export async function retrying<T>(
  { attempts, firstPauseMs, signal }: Retrying,
  work: (progress: () => void) => Promise<T>,
): Promise<T> {
  let failed = 0;
  for (;;) {
    try {
      return await work(() => {
        failed = 0;
      });
    } catch (thrown) {
      signal.throwIfAborted();
      if (!(thrown instanceof TransientFailure)) throw thrown;
      failed += 1;
      if (failed >= attempts) throw thrown;
      // Not all at the same moment: many jobs may have lost the same server. Of no consequence for any result.
      const patience = firstPauseMs * 2 ** (failed - 1) * (1 + Math.random() / 4);
      await pauseUnlessAborted(Math.min(Math.max(patience, thrown.waitMs ?? 0), LONGEST_PAUSE_MS), signal);
    }
  }
}

async function pauseUnlessAborted(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await pause(ms, undefined, { signal });
  } catch (cause) {
    signal.throwIfAborted();
    throw cause;
  }
}
