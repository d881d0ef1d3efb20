import { setImmediate as nextTurn } from "node:timers/promises";

/** Turns of the event loop without a nap: what comes soon is not kept waiting. About half a millisecond. */
const EAGER_TURNS = 100;
const SHORTEST_NAP_MS = 0.05;
const LONGEST_NAP_MS = 1;

/**
 * How to wait for something that has to be asked for again and again: at first by turns of the event loop alone, then with naps that
 * grow to a millisecond, so that whoever is waited for gets the core. The thread sleeps in a nap; heartbeats go out between naps.
 */
export class Patience {
  readonly #cell = new Int32Array(new SharedArrayBuffer(4));
  #turns = 0;

  /** Something happened. */
  reset(): void {
    this.#turns = 0;
  }

  async pause(): Promise<void> {
    this.#turns += 1;
    const late = this.#turns - EAGER_TURNS;
    if (late > 0)
      Atomics.wait(this.#cell, 0, 0, Math.min(LONGEST_NAP_MS, SHORTEST_NAP_MS * 2 ** Math.min(late / 50, 8)));
    await nextTurn();
  }
}
