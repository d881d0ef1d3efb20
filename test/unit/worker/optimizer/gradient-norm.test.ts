import { beforeAll, describe, expect, it } from "vitest";
import { RandomStream } from "../../../../shared/random/random-stream.js";
import type { Kernels } from "../../../../worker/kernels/kernels.js";
import { compileKernels, instantiateKernels } from "../../../../worker/kernels/load-kernels.js";
import { SharedMemory } from "../../../../worker/kernels/shared-memory.js";
import { clippedDivisor, gradientNorm } from "../../../../worker/optimizer/gradient-norm.js";

let kernels: Kernels;
let memory: SharedMemory;

beforeAll(async () => {
  memory = new SharedMemory();
  kernels = instantiateKernels(await compileKernels(), memory.memory);
});

function place(values: ArrayLike<number>): number {
  const address = memory.allocate(values.length * 4);
  memory.float32(address, values.length).set(values);
  return address;
}

describe("gradientNorm", () => {
  it.each([16, 65_536, 65_536 + 16, 200_000])("is that of a plain float64 sum over %i floats", (length) => {
    const random = new RandomStream({ seed: length, purpose: 6 });
    const values = Float32Array.from({ length }, () => (random.nextFloat() - 0.5) * 2 ** (random.nextBelow(40) - 20));
    let squares = 0;
    for (const value of values) squares += value * value;
    const norm = gradientNorm(kernels, { address: place(values), length, count: 7 });
    expect(Math.abs(norm / (Math.sqrt(squares) / 7) - 1)).toBeLessThan(1e-13);
  });

  it("neither overflows nor vanishes where a sum in float32 would", () => {
    const large = gradientNorm(kernels, { address: place(new Float32Array(16).fill(3e38)), length: 16, count: 1 });
    expect(large / (4 * Math.fround(3e38))).toBeCloseTo(1, 14);
    const small = gradientNorm(kernels, { address: place(new Float32Array(16).fill(1e-45)), length: 16, count: 1 });
    expect(small).toBe(4 * Math.fround(1e-45));
  });

  it("is no number, or infinite, when a sum is", () => {
    const values = new Float32Array(32);
    values[30] = Number.NEGATIVE_INFINITY;
    expect(gradientNorm(kernels, { address: place(values), length: 32, count: 1 })).toBe(Number.POSITIVE_INFINITY);
    values[1] = Number.NaN;
    expect(gradientNorm(kernels, { address: place(values), length: 32, count: 1 })).toBeNaN();
  });

  it("has the same bits wherever the sums lie", () => {
    const values = Float32Array.from({ length: 70_000 - (70_000 % 16) }, (_, index) => Math.fround(Math.sin(index)));
    const norms = [0, 1, 2].map((gap) => {
      memory.allocate(gap * 16);
      return gradientNorm(kernels, { address: place(values), length: values.length, count: 3 });
    });
    expect(new Set(norms).size).toBe(1);
  });
});

describe("clippedDivisor", () => {
  it("leaves a mean gradient alone that is short enough", () => {
    expect(clippedDivisor(37, 2, 2)).toBe(37);
    expect(clippedDivisor(37, Number.NaN, 2)).toBe(37);
  });

  it("makes a longer one as long as the limit", () => {
    const sums = [30, 40];
    const norm = Math.hypot(...sums) / 10;
    const clipped = sums.map((sum) => sum / clippedDivisor(10, norm, 0.5));
    expect(Math.hypot(...clipped)).toBeCloseTo(0.5, 15);
    expect((clipped[1] ?? 0) / (clipped[0] ?? 0)).toBeCloseTo(4 / 3, 15);
  });
});
