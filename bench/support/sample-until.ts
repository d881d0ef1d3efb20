import { setTimeout as wait } from "node:timers/promises";

/** Takes a sample, waits, and takes the next, until the signal aborts. @throws what `sample` throws */
export async function sampleUntil(signal: AbortSignal, everyMs: number, sample: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await sample();
    await wait(everyMs, undefined, { signal }).catch((thrown: unknown) => {
      if (!signal.aborted) throw thrown;
    });
  }
}
