import { rounded, type SixteenBits } from "./reference-sixteen-bits.js";

/** The left fold `((g_s + g_{s+1}) + …)` in ring order from `start`, element by element, written as plainly as can be. */
export function foldInOrder<T extends Float32Array | Float64Array>(
  gradients: readonly T[],
  start: number,
  sum: T,
): void {
  const [first, ...others] = [...gradients.slice(start), ...gradients.slice(0, start)];
  if (first === undefined) throw new Error("nothing to fold");
  sum.set(first);
  // Storing into a Float32Array rounds after every addition, as float32 arithmetic does.
  for (const addend of others) {
    for (let index = 0; index < sum.length; index++) sum[index] = sum[index]! + addend[index]!;
  }
}

/** The same fold in 16 bits: `p₀ = rn(scale · g_s)`, `p_k = rn(p_{k−1} + scale · g)`, and the total divided by the scale. */
export function foldRounded(
  gradients: readonly Float32Array[],
  { start, format, scale }: { readonly start: number; readonly format: SixteenBits; readonly scale: number },
  sum: Float32Array,
): void {
  const ring = [...gradients.slice(start), ...gradients.slice(0, start)];
  for (let index = 0; index < sum.length; index++) {
    const [first = Number.NaN, ...others] = ring.map((gradient) => Math.fround(gradient[index]! * scale));
    const total = others.reduce((part, addend) => rounded(format, Math.fround(part + addend)), rounded(format, first));
    sum[index] = total / scale;
  }
}

/** Index of the first element whose bits differ, every NaN being alike; −1 when there is none. */
export function firstDifference(a: Float32Array | Float64Array, b: Float32Array | Float64Array): number {
  if (a.length !== b.length) return Math.min(a.length, b.length);
  for (let index = 0; index < a.length; index++) {
    if (!Object.is(a[index], b[index])) return index;
  }
  return -1;
}
