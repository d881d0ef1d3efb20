// AssemblyScript, not TypeScript: compiled by `asc` to kernels.wasm. The contract of every function stands in ../kernels.ts.
// Multiplications and additions stay apart (no relaxed SIMD, no fused multiply-add), so each lane is the IEEE result of its
// formula and equal on every machine. There is no static data: two threads instantiate this module over one memory.

export { dropoutMask } from "./dropout-mask";

const VECTOR_BYTES: usize = 16;

/** 1 / count would round twice; dividing rounds once. */
// @ts-ignore: decorator
@inline
function mean(sums: usize, count: v128): v128 {
  return f32x4.div(v128.load(sums), count);
}

/**
 * Some bit of a lane is set as soon as one value of it is not finite: x − x is 0 of every other one.
 * @param bad what it was before
 */
// @ts-ignore: decorator
@inline
function orNotFinite(bad: v128, values: v128): v128 {
  return v128.or(bad, f32x4.sub(values, values));
}

/**
 * 0 for what is smaller than `least`, NaN for NaN. Averages that decay end up below the smallest normal number, 2⁻¹²⁶, and there
 * an update takes the processor some forty times as long (ADR 36).
 */
// @ts-ignore: decorator
@inline
function settled(values: v128, least: v128): v128 {
  const sizes = v128.and(values, i32x4.splat(0x7fffffff));
  return v128.andnot(values, f32x4.lt(sizes, least));
}

/** As `settled`, for what is never negative. */
// @ts-ignore: decorator
@inline
function settledSquares(values: v128, least: v128): v128 {
  return v128.andnot(values, f32x4.lt(values, least));
}

/** Of averages of gradients. Far enough above 2⁻¹²⁶ that a product with a learning rate is a normal number, too. */
// @ts-ignore: decorator
@inline
const LEAST_AVERAGE: f32 = 7.888609052210118e-31; // 2⁻¹⁰⁰
/** Of averages of their squares: what a root and a small ε take no notice of. */
// @ts-ignore: decorator
@inline
const LEAST_SQUARE: f32 = 1.1754943508222875e-38; // 2⁻¹²⁶

// @ts-ignore: decorator
@inline
function bytes(length: i32): usize {
  return (<usize>length) << 2;
}

export function add(destination: usize, a: usize, b: usize, length: i32): void {
  const end = bytes(length);
  for (let at: usize = 0; at < end; at += VECTOR_BYTES) {
    v128.store(destination + at, f32x4.add(v128.load(a + at), v128.load(b + at)));
  }
}

export function scaledDifference(destination: usize, a: usize, b: usize, length: i32, scale: f32): void {
  const factor = f32x4.splat(scale);
  const end = bytes(length);
  for (let at: usize = 0; at < end; at += VECTOR_BYTES) {
    const difference = f32x4.sub(v128.load(a + at), v128.load(b + at));
    v128.store(destination + at, f32x4.mul(difference, factor));
  }
}

export function sumOfSquares(source: usize, length: i32): f64 {
  const end = bytes(length);
  let even = f64x2.splat(0);
  let odd = f64x2.splat(0);
  for (let at: usize = 0; at < end; at += VECTOR_BYTES) {
    const values = v128.load(source + at);
    const low = f64x2.promote_low_f32x4(values);
    const high = f64x2.promote_low_f32x4(v128.shuffle<f32>(values, values, 2, 3, 2, 3));
    even = f64x2.add(even, f64x2.mul(low, low));
    odd = f64x2.add(odd, f64x2.mul(high, high));
  }
  const sum = f64x2.add(even, odd);
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

/** The 16 high bits after rounding to nearest even, in each lane; a NaN stays one: rounding could carry it away. */
// @ts-ignore: decorator
@inline
function toBf16(values: v128): v128 {
  const odd = v128.and(i32x4.shr_u(values, 16), i32x4.splat(1));
  const rounded = i32x4.shr_u(i32x4.add(i32x4.add(values, i32x4.splat(0x7fff)), odd), 16);
  const quiet = v128.or(i32x4.shr_u(values, 16), i32x4.splat(0x40));
  return v128.bitselect(quiet, rounded, f32x4.ne(values, values));
}

// @ts-ignore: decorator
@inline
function bf16Low(packed: v128): v128 {
  return i32x4.shl(i32x4.extend_low_i16x8_u(packed), 16);
}

// @ts-ignore: decorator
@inline
function bf16High(packed: v128): v128 {
  return i32x4.shl(i32x4.extend_high_i16x8_u(packed), 16);
}

/**
 * IEEE 754 binary16 by rounding to nearest even, in each lane. Numbers below the smallest normal one are rounded by adding one whose last
 * bit has the weight of a subnormal's; the others by adding just under half a unit, and one more where the last bit kept is odd: then a
 * carry leads into the exponent, and from the largest number to infinity, as it should.
 */
// @ts-ignore: decorator
@inline
function toFp16(values: v128): v128 {
  const sign = v128.and(values, i32x4.splat(0x80000000));
  const size = v128.xor(values, sign);
  const magic = i32x4.splat((127 - 15 + (23 - 10) + 1) << 23);
  const subnormal = i32x4.sub(f32x4.add(size, magic), magic);
  const odd = v128.and(i32x4.shr_u(size, 13), i32x4.splat(1));
  const rebias = i32x4.splat(0xfff - ((127 - 15) << 23));
  const normal = i32x4.shr_u(i32x4.add(i32x4.add(size, rebias), odd), 13);
  const finite = v128.bitselect(subnormal, normal, i32x4.lt_s(size, i32x4.splat((127 - 14) << 23)));
  const isNumber = i32x4.le_s(size, i32x4.splat(255 << 23));
  const special = v128.bitselect(i32x4.splat(0x7c00), i32x4.splat(0x7e00), isNumber);
  const fits = i32x4.lt_s(size, i32x4.splat((127 + 16) << 23));
  return v128.or(v128.bitselect(finite, special, fits), i32x4.shr_u(sign, 16));
}

/** Exact: the bits, moved to their places, are the number times 2⁻¹¹², with the exponent of infinity and NaN put right. */
// @ts-ignore: decorator
@inline
function fromFp16(bits: v128): v128 {
  const size = v128.and(bits, i32x4.splat(0x7fff));
  const scaled = f32x4.mul(i32x4.shl(size, 13), i32x4.splat((254 - 15) << 23));
  const special = v128.and(i32x4.gt_s(size, i32x4.splat(0x7bff)), i32x4.splat(255 << 23));
  return v128.or(v128.or(scaled, special), i32x4.shl(v128.xor(bits, size), 16));
}

// @ts-ignore: decorator
@inline
function fp16Low(packed: v128): v128 {
  return fromFp16(i32x4.extend_low_i16x8_u(packed));
}

// @ts-ignore: decorator
@inline
function fp16High(packed: v128): v128 {
  return fromFp16(i32x4.extend_high_i16x8_u(packed));
}

export function packBf16(destination: usize, source: usize, length: i32, scale: f32): void {
  const factor = f32x4.splat(scale);
  const end = bytes(length);
  for (let at: usize = 0; at < end; at += 2 * VECTOR_BYTES) {
    const low = toBf16(f32x4.mul(v128.load(source + at), factor));
    const high = toBf16(f32x4.mul(v128.load(source + at, 16), factor));
    v128.store(destination + (at >> 1), i16x8.narrow_i32x4_u(low, high));
  }
}

export function addBf16(destination: usize, a: usize, b: usize, length: i32, scale: f32): void {
  const factor = f32x4.splat(scale);
  const end = bytes(length);
  for (let at: usize = 0; at < end; at += 2 * VECTOR_BYTES) {
    const sums = v128.load(a + (at >> 1));
    const low = toBf16(f32x4.add(bf16Low(sums), f32x4.mul(v128.load(b + at), factor)));
    const high = toBf16(f32x4.add(bf16High(sums), f32x4.mul(v128.load(b + at, 16), factor)));
    v128.store(destination + (at >> 1), i16x8.narrow_i32x4_u(low, high));
  }
}

export function unpackBf16(destination: usize, source: usize, length: i32, scale: f32): void {
  const factor = f32x4.splat(scale);
  const end = bytes(length);
  for (let at: usize = 0; at < end; at += 2 * VECTOR_BYTES) {
    const packed = v128.load(source + (at >> 1));
    v128.store(destination + at, f32x4.mul(bf16Low(packed), factor));
    v128.store(destination + at, f32x4.mul(bf16High(packed), factor), 16);
  }
}

export function packFp16(destination: usize, source: usize, length: i32, scale: f32): void {
  const factor = f32x4.splat(scale);
  const end = bytes(length);
  for (let at: usize = 0; at < end; at += 2 * VECTOR_BYTES) {
    const low = toFp16(f32x4.mul(v128.load(source + at), factor));
    const high = toFp16(f32x4.mul(v128.load(source + at, 16), factor));
    v128.store(destination + (at >> 1), i16x8.narrow_i32x4_u(low, high));
  }
}

export function addFp16(destination: usize, a: usize, b: usize, length: i32, scale: f32): void {
  const factor = f32x4.splat(scale);
  const end = bytes(length);
  for (let at: usize = 0; at < end; at += 2 * VECTOR_BYTES) {
    const sums = v128.load(a + (at >> 1));
    const low = toFp16(f32x4.add(fp16Low(sums), f32x4.mul(v128.load(b + at), factor)));
    const high = toFp16(f32x4.add(fp16High(sums), f32x4.mul(v128.load(b + at, 16), factor)));
    v128.store(destination + (at >> 1), i16x8.narrow_i32x4_u(low, high));
  }
}

export function unpackFp16(destination: usize, source: usize, length: i32, scale: f32): void {
  const factor = f32x4.splat(scale);
  const end = bytes(length);
  for (let at: usize = 0; at < end; at += 2 * VECTOR_BYTES) {
    const packed = v128.load(source + (at >> 1));
    v128.store(destination + at, f32x4.mul(fp16Low(packed), factor));
    v128.store(destination + at, f32x4.mul(fp16High(packed), factor), 16);
  }
}

export function firstNotFinite(source: usize, length: i32): i32 {
  const infinity = f32x4.splat(f32.POSITIVE_INFINITY);
  const end = bytes(length);
  let at: usize = 0;
  // Four vectors for one branch: what is looked for is hardly ever there.
  for (; at + 4 * VECTOR_BYTES <= end; at += 4 * VECTOR_BYTES) {
    const low = v128.and(
      f32x4.lt(f32x4.abs(v128.load(source + at)), infinity),
      f32x4.lt(f32x4.abs(v128.load(source + at, 16)), infinity),
    );
    const high = v128.and(
      f32x4.lt(f32x4.abs(v128.load(source + at, 32)), infinity),
      f32x4.lt(f32x4.abs(v128.load(source + at, 48)), infinity),
    );
    if (!i32x4.all_true(v128.and(low, high))) break;
  }
  for (; at < end; at += VECTOR_BYTES) {
    // Comparisons with NaN are false, so one comparison finds both NaN and infinity.
    const finite = f32x4.lt(f32x4.abs(v128.load(source + at)), infinity);
    if (!i32x4.all_true(finite)) return <i32>(at >> 2) + ctz(~i32x4.bitmask(finite));
  }
  return -1;
}

export function lookUpBytes(destination: usize, source: usize, table: usize, length: i32): void {
  for (let index: usize = 0; index < <usize>length; index += 4) {
    const to = destination + (index << 2);
    const from = source + index;
    // Apart from each other, four loads of the table are under way at once.
    const first = load<u32>(table + ((<usize>load<u8>(from)) << 2));
    const second = load<u32>(table + ((<usize>load<u8>(from, 1)) << 2));
    const third = load<u32>(table + ((<usize>load<u8>(from, 2)) << 2));
    const fourth = load<u32>(table + ((<usize>load<u8>(from, 3)) << 2));
    store<u32>(to, first);
    store<u32>(to, second, 4);
    store<u32>(to, third, 8);
    store<u32>(to, fourth, 12);
  }
}

// The next three go from the end to the start: the end of the sums was written last, and is still in the nearer cache.

export function sgd(
  next: usize, current: usize, sums: usize, length: i32, count: f32, learningRate: f32,
): i32 {
  const rows = f32x4.splat(count);
  const rate = f32x4.splat(learningRate);
  const end = bytes(length);
  let bad = i32x4.splat(0);
  for (let at: usize = end; at != 0;) {
    at -= VECTOR_BYTES;
    const gradient = mean(sums + at, rows);
    const updated = f32x4.sub(v128.load(current + at), f32x4.mul(rate, gradient));
    bad = orNotFinite(bad, updated);
    v128.store(next + at, updated);
  }
  return <i32>!v128.any_true(bad);
}

export function momentum(
  next: usize, nextVelocity: usize, current: usize, velocity: usize,
  sums: usize, length: i32, count: f32, learningRate: f32, momentum: f32,
): i32 {
  const rows = f32x4.splat(count);
  const rate = f32x4.splat(learningRate);
  const mu = f32x4.splat(momentum);
  const least = f32x4.splat(LEAST_AVERAGE);
  const end = bytes(length);
  let bad = i32x4.splat(0);
  for (let at: usize = end; at != 0;) {
    at -= VECTOR_BYTES;
    const gradient = mean(sums + at, rows);
    const moved = settled(f32x4.add(f32x4.mul(mu, v128.load(velocity + at)), gradient), least);
    v128.store(nextVelocity + at, moved);
    const updated = f32x4.sub(v128.load(current + at), f32x4.mul(rate, moved));
    bad = orNotFinite(bad, updated);
    v128.store(next + at, updated);
  }
  return <i32>!v128.any_true(bad);
}

export function nesterov(
  next: usize, nextVelocity: usize, current: usize, velocity: usize,
  sums: usize, length: i32, count: f32, learningRate: f32, momentum: f32,
): i32 {
  const rows = f32x4.splat(count);
  const rate = f32x4.splat(learningRate);
  const mu = f32x4.splat(momentum);
  const least = f32x4.splat(LEAST_AVERAGE);
  const end = bytes(length);
  let bad = i32x4.splat(0);
  for (let at: usize = end; at != 0;) {
    at -= VECTOR_BYTES;
    const gradient = mean(sums + at, rows);
    const moved = settled(f32x4.add(f32x4.mul(mu, v128.load(velocity + at)), gradient), least);
    const ahead = f32x4.add(gradient, f32x4.mul(mu, moved));
    v128.store(nextVelocity + at, moved);
    const updated = f32x4.sub(v128.load(current + at), f32x4.mul(rate, ahead));
    bad = orNotFinite(bad, updated);
    v128.store(next + at, updated);
  }
  return <i32>!v128.any_true(bad);
}

/** Adam on the vector at `at` of each array. @returns its parameters */
// @ts-ignore: decorator
@inline
function adamVector(
  at: usize, next: usize, nextMean: usize, nextVariance: usize, current: usize, average: usize, variance: usize, sums: usize,
  rows: v128, decay1: v128, decay2: v128, fresh1: v128, fresh2: v128, small: v128, rate: v128, scale: v128, keep: v128,
): v128 {
  const gradient = mean(sums + at, rows);
  const square = f32x4.mul(gradient, gradient);
  const moved = f32x4.add(f32x4.mul(decay1, v128.load(average + at)), f32x4.mul(fresh1, gradient));
  const spread = f32x4.add(f32x4.mul(decay2, v128.load(variance + at)), f32x4.mul(fresh2, square));
  const m = settled(moved, f32x4.splat(LEAST_AVERAGE));
  const v = settledSquares(spread, f32x4.splat(LEAST_SQUARE));
  v128.store(nextMean + at, m);
  v128.store(nextVariance + at, v);
  const size = f32x4.add(f32x4.mul(f32x4.sqrt(v), scale), small);
  const change = f32x4.div(f32x4.mul(rate, m), size);
  const updated = f32x4.sub(f32x4.mul(v128.load(current + at), keep), change);
  v128.store(next + at, updated);
  return updated;
}

export function adam(
  next: usize, nextMean: usize, nextVariance: usize, current: usize, average: usize, variance: usize,
  sums: usize, length: i32, count: f32, learningRate: f32,
  beta1: f32, beta2: f32, epsilon: f32, meanRate: f32, rootScale: f32, weightDecay: f32,
): i32 {
  const rows = f32x4.splat(count);
  const b1 = f32x4.splat(beta1);
  const b2 = f32x4.splat(beta2);
  const c1 = f32x4.splat(<f32>1 - beta1);
  const c2 = f32x4.splat(<f32>1 - beta2);
  const small = f32x4.splat(epsilon);
  const rate = f32x4.splat(meanRate);
  const scale = f32x4.splat(rootScale);
  const keep = f32x4.splat(<f32>1 - learningRate * weightDecay);
  const end = bytes(length);
  let bad = i32x4.splat(0);
  let at: usize = 0;
  // Four vectors a turn: divisions and roots take long, and those of one need not wait for those of another.
  for (; at + 4 * VECTOR_BYTES <= end; at += 4 * VECTOR_BYTES) {
    const first = adamVector(at, next, nextMean, nextVariance, current, average, variance, sums, rows, b1, b2, c1, c2, small, rate, scale, keep);
    const second = adamVector(at + VECTOR_BYTES, next, nextMean, nextVariance, current, average, variance, sums, rows, b1, b2, c1, c2, small, rate, scale, keep);
    const third = adamVector(at + 2 * VECTOR_BYTES, next, nextMean, nextVariance, current, average, variance, sums, rows, b1, b2, c1, c2, small, rate, scale, keep);
    const fourth = adamVector(at + 3 * VECTOR_BYTES, next, nextMean, nextVariance, current, average, variance, sums, rows, b1, b2, c1, c2, small, rate, scale, keep);
    bad = orNotFinite(orNotFinite(orNotFinite(orNotFinite(bad, first), second), third), fourth);
  }
  for (; at < end; at += VECTOR_BYTES) {
    bad = orNotFinite(bad, adamVector(at, next, nextMean, nextVariance, current, average, variance, sums, rows, b1, b2, c1, c2, small, rate, scale, keep));
  }
  return <i32>!v128.any_true(bad);
}

export function rmsprop(
  next: usize, nextSquare: usize, current: usize, square: usize,
  sums: usize, length: i32, count: f32, learningRate: f32, decay: f32, epsilon: f32,
): i32 {
  const rows = f32x4.splat(count);
  const rate = f32x4.splat(learningRate);
  const old = f32x4.splat(decay);
  const fresh = f32x4.splat(<f32>1 - decay);
  const small = f32x4.splat(epsilon);
  const least = f32x4.splat(LEAST_SQUARE);
  const end = bytes(length);
  let bad = i32x4.splat(0);
  for (let at: usize = 0; at < end; at += VECTOR_BYTES) {
    const gradient = mean(sums + at, rows);
    const squared = f32x4.mul(gradient, gradient);
    const s = settledSquares(f32x4.add(f32x4.mul(old, v128.load(square + at)), f32x4.mul(fresh, squared)), least);
    v128.store(nextSquare + at, s);
    const change = f32x4.div(f32x4.mul(rate, gradient), f32x4.sqrt(f32x4.add(s, small)));
    const updated = f32x4.sub(v128.load(current + at), change);
    bad = orNotFinite(bad, updated);
    v128.store(next + at, updated);
  }
  return <i32>!v128.any_true(bad);
}

export function adagrad(
  next: usize, nextAccumulator: usize, current: usize, accumulator: usize,
  sums: usize, length: i32, count: f32, learningRate: f32, epsilon: f32,
): i32 {
  const rows = f32x4.splat(count);
  const rate = f32x4.splat(learningRate);
  const small = f32x4.splat(epsilon);
  const end = bytes(length);
  let bad = i32x4.splat(0);
  for (let at: usize = 0; at < end; at += VECTOR_BYTES) {
    const gradient = mean(sums + at, rows);
    const a = f32x4.add(v128.load(accumulator + at), f32x4.mul(gradient, gradient));
    v128.store(nextAccumulator + at, a);
    const change = f32x4.div(f32x4.mul(rate, gradient), f32x4.sqrt(f32x4.add(a, small)));
    const updated = f32x4.sub(v128.load(current + at), change);
    bad = orNotFinite(bad, updated);
    v128.store(next + at, updated);
  }
  return <i32>!v128.any_true(bad);
}
