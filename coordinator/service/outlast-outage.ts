import { deferred } from "../../shared/deferred.js";
import { growingPauseMs } from "./growing-pause.js";
import { isOutage } from "./is-outage.js";

export interface Patience {
  /** Aborted: it is tried once more, at once, and no more. */
  readonly signal: AbortSignal;
  /** Of all pauses together, as it is when one is over; default: for ever. */
  readonly mostMs?: () => number;
  /** Told of the first failure, if there is one. */
  readonly onOutage: (thrown: unknown) => void;
}

/**
 * Does work that the store has to keep, again and again, with pauses that grow, for as long as that fails for an outage: of the database,
 * or of the disk that files lie on.
 * @throws what `work` throws of another kind, and when patience is at its end
 */
export async function outlastOutage<T>(work: () => Promise<T>, patience: Patience): Promise<T> {
  const { signal, mostMs = () => Number.POSITIVE_INFINITY, onOutage } = patience;
  for (let failures = 1, waitedMs = 0; ; failures++) {
    const isLast = signal.aborted || waitedMs >= mostMs();
    try {
      return await work();
    } catch (thrown) {
      if (isLast || !isOutage(thrown)) throw thrown;
      if (failures === 1) onOutage(thrown);
    }
    const pauseMs = growingPauseMs(failures);
    await pause(pauseMs, signal);
    waitedMs += pauseMs;
  }
}

/** Ends early when the signal aborts. */
async function pause(lengthMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = deferred<void>();
  const over = (): void => resolve();
  const timer = setTimeout(over, lengthMs);
  signal.addEventListener("abort", over);
  await promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", over);
}
