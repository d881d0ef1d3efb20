import { RandomStream } from "../../shared/random/random-stream.js";

/** Random choices that are a pure function of the seed. */
export class Dice {
  readonly #random: RandomStream;

  constructor(seed: number) {
    this.#random = new RandomStream({ seed, purpose: 98 });
  }

  /** A whole number in [0, limit). */
  below(limit: number): number {
    return Math.floor(this.#random.nextFloat() * limit);
  }

  one<T>(from: readonly T[]): T {
    const chosen = from[this.below(from.length)];
    if (chosen === undefined) throw new RangeError("there is nothing to choose from");
    return chosen;
  }

  /** True once in `times`. */
  oncePer(times: number): boolean {
    return this.below(times) === 0;
  }
}
