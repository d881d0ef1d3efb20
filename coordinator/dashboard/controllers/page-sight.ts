/** Whether anybody can see the page. */
export interface PageSight {
  readonly isHidden: boolean;
  /** Calls `listener` whenever that may have changed, until `signal` aborts. */
  onChange(listener: () => void, signal: AbortSignal): void;
}

/**
 * Does `work` while the page can be seen, and again each time that it can be seen anew, until `signal` aborts. `work` is told by its
 * signal to give up, and does so without throwing. @throws what `work` throws
 */
export async function whileSeen(
  sight: PageSight,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    await seen(sight, signal);
    const hidden = new AbortController();
    const over = new AbortController();
    const look = (): void => {
      if (sight.isHidden) hidden.abort();
    };
    sight.onChange(look, over.signal);
    look();
    try {
      await work(AbortSignal.any([signal, hidden.signal]));
    } finally {
      over.abort();
    }
  }
}

/** Resolves when the page can be seen, or `signal` aborts. */
function seen(sight: PageSight, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = new AbortController();
    const end = (): void => {
      over.abort();
      resolve();
    };
    const look = (): void => {
      if (!sight.isHidden) end();
    };
    sight.onChange(look, over.signal);
    signal.addEventListener("abort", end, { signal: over.signal });
    if (signal.aborted) end();
    else look();
  });
}
