import { philox4x32, type Words4 } from "./philox.js";

/** What a random number is for. The numbers are part of every hash: never renumber. */
export const RANDOM_PURPOSE = {
  initialWeights: 1,
  split: 2,
  permutation: 3,
  dropout: 4,
  augmentation: 5,
  probe: 6,
} as const;

/** Names one stream; parts that a purpose does not use stay 0. Initial weights, split and permutation never use `replica`. */
export interface RandomKey {
  readonly seed: number;
  readonly purpose: number;
  readonly epoch?: number;
  readonly step?: number;
  readonly accumulation?: number;
  readonly replica?: number;
  readonly layer?: number;
}

/**
 * The key of a stream's generator: two words, which a kernel needs to draw the same numbers. Keys are chained through Philox, since they have
 * more parts than one counter has words.
 * @throws RangeError when a part of the key is not a whole number in [0, 2^32) ([0, 2^53) for the seed).
 */
export function generatorKey(key: RandomKey): readonly [number, number] {
  const part = (name: keyof RandomKey, limit = 2 ** 32): number => {
    const value = key[name] ?? 0;
    if (!Number.isInteger(value) || value < 0 || value >= limit)
      throw new RangeError(`random key: ${name} is ${value}`);
    return value;
  };
  const seed = part("seed", 2 ** 53);
  const words: Words4 = [0, 0, 0, 0];
  philox4x32(
    part("purpose"),
    part("epoch"),
    part("step"),
    part("accumulation"),
    seed >>> 0,
    Math.floor(seed / 2 ** 32),
    words,
  );
  philox4x32(part("replica"), part("layer"), words[2], words[3], words[0], words[1], words);
  return [words[0], words[1]];
}

/**
 * A sequence of random numbers that depends on its key alone: no state is shared, so any process draws the same numbers
 * in any order.
 */
export class RandomStream {
  readonly #key0: number;
  readonly #key1: number;
  readonly #words: Words4 = [0, 0, 0, 0];
  #block = 0;
  #used = 4;

  /** @throws RangeError as {@link generatorKey} */
  constructor(key: RandomKey) {
    [this.#key0, this.#key1] = generatorKey(key);
  }

  /** Uniform in [0, 2^32). */
  nextUint32(): number {
    if (this.#used === 4) {
      philox4x32(this.#block >>> 0, Math.floor(this.#block / 2 ** 32), 0, 0, this.#key0, this.#key1, this.#words);
      this.#block++;
      this.#used = 0;
    }
    return this.#words[this.#used++] as number;
  }

  /** Uniform in [0, 1), 24 bits: exactly representable in float32. */
  nextFloat(): number {
    return (this.nextUint32() >>> 8) / 0x1000000;
  }

  /** Uniform whole number in [0, bound), 1 ≤ bound ≤ 2^32, without bias (rejection). */
  nextBelow(bound: number): number {
    const limit = 2 ** 32 - (2 ** 32 % bound);
    let word = this.nextUint32();
    while (word >= limit) word = this.nextUint32();
    return word % bound;
  }
}
