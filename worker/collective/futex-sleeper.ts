import { availableParallelism } from "node:os";
import { type LinuxCalls, linuxCalls } from "./linux-calls.js";
import type { WordSleeper } from "./word-sleeper.js";

const FUTEX_WAIT = 0;
const FUTEX_WAKE = 1;
const ALL = 0x7fffffff;
const NANOSECONDS_PER_MILLISECOND = 1_000_000;

/** Longer than it takes to wake another processor, also a virtual one: else two workers that wait for each other by turns wake each other for ever. */
const SPIN_MS = 1;

/** By futex(2), on words in memory that processes share: what their system's own locks wait with. */
export class FutexSleeper implements WordSleeper {
  readonly spinMs: number;
  readonly #calls: LinuxCalls = linuxCalls();
  readonly #timeout = new BigInt64Array(2);

  /** @param workers that wait for each other on this host: where they are more than its processors, whoever spins keeps another from coming */
  constructor(workers: number) {
    this.spinMs = workers <= availableParallelism() ? SPIN_MS : 0;
  }

  giveWay(): void {
    this.#calls.schedYield();
  }

  sleep(word: Int32Array, value: number, milliseconds: number): void {
    const seconds = Math.floor(milliseconds / 1000);
    this.#timeout[0] = BigInt(seconds);
    this.#timeout[1] = BigInt(Math.round((milliseconds - seconds * 1000) * NANOSECONDS_PER_MILLISECOND));
    // Woken, changed before, interrupted by a signal, or over: the caller looks at the word in any case.
    this.#calls.futex(word, FUTEX_WAIT, value, this.#timeout);
  }

  wake(word: Int32Array): void {
    this.#calls.futex(word, FUTEX_WAKE, ALL, null);
  }
}
