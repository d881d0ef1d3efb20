/**
 * Collects what comes in and hands it on together, at most every `intervalMs`: a job may make a thousand steps a second, a screen is
 * drawn sixty times. Hands on at once when `limit` have come, since the timers of a hidden page may stand still.
 */
export class EventBatch<T> {
  readonly #deliver: (items: readonly T[]) => void;
  readonly #intervalMs: number;
  readonly #limit: number;
  #items: T[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(deliver: (items: readonly T[]) => void, intervalMs = 100, limit = 1_000) {
    this.#deliver = deliver;
    this.#intervalMs = intervalMs;
    this.#limit = limit;
  }

  add(items: readonly T[]): void {
    for (const item of items) this.#items.push(item);
    if (this.#items.length >= this.#limit) this.flush();
    else if (this.#items.length > 0) this.#timer ??= setTimeout(() => this.flush(), this.#intervalMs);
  }

  /** Hands on what has been collected, if anything. */
  flush(): void {
    this.#stopTimer();
    if (this.#items.length === 0) return;
    const items = this.#items;
    this.#items = [];
    this.#deliver(items);
  }

  /** Drops what has been collected. */
  clear(): void {
    this.#stopTimer();
    this.#items = [];
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
