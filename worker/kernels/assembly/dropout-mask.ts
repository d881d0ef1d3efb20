// AssemblyScript like kernels.ts, which exports this. A block of Philox4x32-10 (shared/random/philox.ts) is four words; four blocks are computed at
// once: each vector holds the same word of four blocks that follow each other.

const ROUNDS: i32 = 10;
const MULTIPLIER_0: i32 = 0xd2511f53;
const MULTIPLIER_1: i32 = 0xcd9e8d57;
const WEYL_0: i32 = 0x9e3779b9;
const WEYL_1: i32 = 0xbb67ae85;
/** Four blocks. */
const STRIDE_BYTES: usize = 64;

/** The low 32 bits of the four products that `first` and `second` hold. */
// @ts-ignore: decorator
@inline
function lowWords(first: v128, second: v128): v128 {
  return v128.shuffle<i32>(first, second, 0, 2, 4, 6);
}

// @ts-ignore: decorator
@inline
function highWords(first: v128, second: v128): v128 {
  return v128.shuffle<i32>(first, second, 1, 3, 5, 7);
}

/** Of each word the 24 high bits decide. They are less than 2³¹, so that they may be compared as if they had a sign. */
// @ts-ignore: decorator
@inline
function factors(words: v128, threshold: v128, kept: v128): v128 {
  return v128.andnot(kept, i32x4.lt_s(i32x4.shr_u(words, 8), threshold));
}

export function dropoutMask(
  destination: usize, length: i32, key0: i32, key1: i32, threshold: i32, kept: f32,
): void {
  const multiplier0 = i32x4.splat(MULTIPLIER_0);
  const multiplier1 = i32x4.splat(MULTIPLIER_1);
  const weyl0 = i32x4.splat(WEYL_0);
  const weyl1 = i32x4.splat(WEYL_1);
  const dropped = i32x4.splat(threshold);
  const factor = f32x4.splat(kept);
  const end = (<usize>length) << 2;
  // The counter's other words stay 0: a memory holds less than 2³² blocks.
  let blocks = i32x4(0, 1, 2, 3);
  for (let at: usize = 0; at < end; at += STRIDE_BYTES) {
    let word0 = blocks;
    let word1 = i32x4.splat(0);
    let word2 = i32x4.splat(0);
    let word3 = i32x4.splat(0);
    let round0 = i32x4.splat(key0);
    let round1 = i32x4.splat(key1);
    for (let round = 0; round < ROUNDS; round++) {
      const low0 = i64x2.extmul_low_i32x4_u(word0, multiplier0);
      const high0 = i64x2.extmul_high_i32x4_u(word0, multiplier0);
      const low1 = i64x2.extmul_low_i32x4_u(word2, multiplier1);
      const high1 = i64x2.extmul_high_i32x4_u(word2, multiplier1);
      word0 = v128.xor(v128.xor(highWords(low1, high1), word1), round0);
      word1 = lowWords(low1, high1);
      word2 = v128.xor(v128.xor(highWords(low0, high0), word3), round1);
      word3 = lowWords(low0, high0);
      round0 = i32x4.add(round0, weyl0);
      round1 = i32x4.add(round1, weyl1);
    }
    const factors0 = factors(word0, dropped, factor);
    const factors1 = factors(word1, dropped, factor);
    const factors2 = factors(word2, dropped, factor);
    const factors3 = factors(word3, dropped, factor);
    // Block by block again.
    const front01 = v128.shuffle<i32>(factors0, factors1, 0, 4, 1, 5);
    const front23 = v128.shuffle<i32>(factors2, factors3, 0, 4, 1, 5);
    const back01 = v128.shuffle<i32>(factors0, factors1, 2, 6, 3, 7);
    const back23 = v128.shuffle<i32>(factors2, factors3, 2, 6, 3, 7);
    v128.store(destination + at, v128.shuffle<i64>(front01, front23, 0, 2));
    v128.store(destination + at, v128.shuffle<i64>(front01, front23, 1, 3), 16);
    v128.store(destination + at, v128.shuffle<i64>(back01, back23, 0, 2), 32);
    v128.store(destination + at, v128.shuffle<i64>(back01, back23, 1, 3), 48);
    blocks = i32x4.add(blocks, i32x4.splat(4));
  }
}
