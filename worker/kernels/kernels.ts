/** Byte offset into a worker's shared memory; a multiple of 16. */
export type Address = number;

/**
 * SIMD kernels over flat float32 arrays in one shared WebAssembly memory (source: assembly/kernels.ts).
 * Lengths are in floats and multiples of 4. No fused multiply-add: every result is the IEEE result of its formula.
 * Destinations may equal a source, but must not overlap it otherwise. Each optimizer reads the current state and writes every
 * element of the next one (shadow buffers), the gradient being `sums[i] / count`. Numbers given as arguments are rounded to
 * float32 first; a `count` of rows is exact up to 2²⁴ of them. Constants such as 1−β are computed in float32 from the rounded β.
 * Averages that decay, of gradients and of their squares, are 0 below 2⁻¹⁰⁰ and 2⁻¹²⁶: numbers too small to be normal ones would take
 * processors some forty times as long, and no parameter notices them (ADR 36).
 * An optimizer gives 1 when every element that it wrote into `next` is finite, else 0: it has them at hand, and a look at the whole
 * arena afterwards costs as much as half an update.
 */
export interface Kernels {
  /** destination = a + b */
  add(destination: Address, a: Address, b: Address, length: number): void;
  /** destination = (a − b) · scale */
  scaledDifference(destination: Address, a: Address, b: Address, length: number, scale: number): void;
  /** Σ source², in float64: each square is exact, and the order of the sum is fixed (four interleaved sums, then their sum). */
  sumOfSquares(source: Address, length: number): number;
  /**
   * destination = rn(source · scale), in bfloat16, 2 bytes each: rounded to nearest even; a NaN stays one, what is too large becomes infinite.
   * Here and below: `length` a multiple of 8, `scale` a power of two.
   */
  packBf16(destination: Address, source: Address, length: number, scale: number): void;
  /** destination = rn(a + b · scale); `destination` and `a` in bfloat16, `b` in float32; the sum is rounded to float32 first. */
  addBf16(destination: Address, a: Address, b: Address, length: number, scale: number): void;
  /** destination = source · scale; `source` in bfloat16, `destination` in float32. */
  unpackBf16(destination: Address, source: Address, length: number, scale: number): void;
  /** As for bfloat16, in IEEE 754 binary16, subnormal numbers included. */
  packFp16(destination: Address, source: Address, length: number, scale: number): void;
  addFp16(destination: Address, a: Address, b: Address, length: number, scale: number): void;
  unpackFp16(destination: Address, source: Address, length: number, scale: number): void;
  /** Index of the first element that is NaN or infinite; −1 when there is none. */
  firstNotFinite(source: Address, length: number): number;
  /** destination = table[byte] of each byte; `table` has 256 floats, `length` counts bytes and is any: whole fours are read and written. */
  lookUpBytes(destination: Address, source: Address, table: Address, length: number): void;
  /**
   * destination = 0 where the 24 high bits of a word are less than `threshold`, else `kept`; the words are those of Philox4x32-10 under the
   * key, in the order of RandomStream. `length` is any: whole sixteens are written.
   */
  dropoutMask(destination: Address, length: number, key0: number, key1: number, threshold: number, kept: number): void;
  /** p' = p − lr·g */
  sgd(next: Address, current: Address, sums: Address, length: number, count: number, learningRate: number): number;
  /** v' = μ·v + g; p' = p − lr·v' */
  momentum(
    next: Address,
    nextVelocity: Address,
    current: Address,
    velocity: Address,
    sums: Address,
    length: number,
    count: number,
    learningRate: number,
    momentum: number,
  ): number;
  /** v' = μ·v + g; p' = p − lr·(g + μ·v') */
  nesterov(
    next: Address,
    nextVelocity: Address,
    current: Address,
    velocity: Address,
    sums: Address,
    length: number,
    count: number,
    learningRate: number,
    momentum: number,
  ): number;
  /**
   * m' = β₁·m + (1−β₁)·g; v' = β₂·v + (1−β₂)·g²; p' = p·(1 − lr·λ) − r·m' / (s·√v' + ε), where the caller gives r = lr/c₁ and s = 1/√c₂
   * with c₁ = 1 − β₁ᵗ and c₂ = 1 − β₂ᵗ: divisions are what takes the time. λ = 0 is Adam, else AdamW (decoupled decay).
   */
  adam(
    next: Address,
    nextMean: Address,
    nextVariance: Address,
    current: Address,
    mean: Address,
    variance: Address,
    sums: Address,
    length: number,
    count: number,
    learningRate: number,
    beta1: number,
    beta2: number,
    epsilon: number,
    meanRate: number,
    rootScale: number,
    weightDecay: number,
  ): number;
  /** s' = ρ·s + (1−ρ)·g²; p' = p − lr·g / √(s' + ε) */
  rmsprop(
    next: Address,
    nextSquare: Address,
    current: Address,
    square: Address,
    sums: Address,
    length: number,
    count: number,
    learningRate: number,
    decay: number,
    epsilon: number,
  ): number;
  /** a' = a + g²; p' = p − lr·g / √(a' + ε) */
  adagrad(
    next: Address,
    nextAccumulator: Address,
    current: Address,
    accumulator: Address,
    sums: Address,
    length: number,
    count: number,
    learningRate: number,
    epsilon: number,
  ): number;
}
