/** Work that somebody may wait for before it is over. Keeps what is under way, and nothing of what has ended. */
export class PendingWork {
  readonly #pending = new Set<Promise<void>>();

  /** How much is under way. */
  get size(): number {
    return this.#pending.size;
  }

  /** @param work never rejects */
  add(work: Promise<unknown>): void {
    const over: Promise<void> = work.then(() => {
      this.#pending.delete(over);
    });
    this.#pending.add(over);
  }

  /** Resolves when all that is under way now has ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#pending);
  }
}
