/** Work on one thing happens in turn, on different things at once. */
export class KeyedTurns<Key> {
  readonly #last = new Map<Key, Promise<unknown>>();

  /** Runs `work` when everything that was asked for before on `key` has ended. Must not be called within work on the same key. */
  run<T>(key: Key, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const result = before.then(work);
    const settled = result.then(
      () => undefined,
      () => undefined,
    );
    this.#last.set(key, settled);
    void settled.then(() => {
      if (this.#last.get(key) === settled) this.#last.delete(key);
    });
    return result;
  }
}
