import type { ArenaSlot } from "../../../shared/arena-layout.js";

/** l2 · Σ kernel², in float64; the kernel is not looked at where l2 is 0. */
export function l2Penalty(l2: number, kernel: () => Float32Array): number {
  if (l2 === 0) return 0;
  let sum = 0;
  for (const value of kernel()) sum += value * value;
  return l2 * sum;
}

/** Adds `factor · kernel` to a kernel's gradient in its slot of an arena. */
export function addL2Gradient(
  arena: Float32Array,
  { offset, length }: ArenaSlot,
  kernel: () => Float32Array,
  factor: number,
): void {
  if (factor === 0) return;
  const values = kernel();
  for (let index = 0; index < length; index++) {
    arena[offset + index] = (arena[offset + index] as number) + factor * (values[index] as number);
  }
}
