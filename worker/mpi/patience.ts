import { setImmediate as nextTurn } from "node:timers/promises";

/** A question to MPI takes a quarter of a microsecond, a turn of the event loop forty times as long: so many questions between two turns. */
const ASKS_PER_TURN = 256;
const EAGER_MS = 0.5;
const SHORTEST_NAP_MS = 0.05;
const LONGEST_NAP_MS = 1;
/** Nobody ever writes it: who waits for it to change sleeps. */
const UNCHANGING = new Int32Array(new SharedArrayBuffer(4));

/**
 * How to wait for something that has to be asked for again and again: at first without a nap, so that what comes soon is not kept waiting,
 * then with naps that grow to a millisecond, so that whoever is waited for gets the core. The event loop turns every few hundred questions, and
 * after every nap.
 */
export class Patience {
  readonly #eagerMs: number;
  #asks = 0;
  #naps = 0;
  #sinceMs = performance.now();

  /** @param eagerMs how long to go without a nap */
  constructor(eagerMs = EAGER_MS) {
    this.#eagerMs = eagerMs;
  }

  /** Something happened. */
  reset(): void {
    this.#naps = 0;
    this.#sinceMs = performance.now();
  }

  /** @returns whether to ask again at once; else a call of {@link pause} comes first */
  asksAgain(): boolean {
    this.#asks += 1;
    return this.#naps === 0 && this.#asks % ASKS_PER_TURN !== 0;
  }

  /** A turn of the event loop, after a nap when nothing has happened for long. */
  async pause(): Promise<void> {
    if (performance.now() - this.#sinceMs > this.#eagerMs) this.#nap();
    await nextTurn();
  }

  #nap(): void {
    this.#naps += 1;
    Atomics.wait(UNCHANGING, 0, 0, Math.min(LONGEST_NAP_MS, SHORTEST_NAP_MS * 2 ** Math.min(this.#naps / 50, 8)));
  }
}
