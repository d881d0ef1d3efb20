/**
 * Waits `ms`; in a hidden page, until it is seen again, so that a forgotten tab asks for nothing. The network's return ends a wait
 * early. Aborting does too; never rejects.
 */
export function pageMayWait(ms: number, signal: AbortSignal): Promise<void> {
  return wait(ms, signal, true);
}

/** Waits `ms`, hidden or not; being seen again and the network's return end it early. Aborting does too; never rejects. */
export function pageWaits(ms: number, signal: AbortSignal): Promise<void> {
  return wait(ms, signal, false);
}

function wait(ms: number, signal: AbortSignal, untilSeen: boolean): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      window.removeEventListener("online", end);
      document.removeEventListener("visibilitychange", seen);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const seen = () => {
      if (!document.hidden) end();
    };
    const timer = setTimeout(() => {
      if (!untilSeen || !document.hidden) end();
    }, ms);
    window.addEventListener("online", end);
    document.addEventListener("visibilitychange", seen);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}
