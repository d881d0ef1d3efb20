import { beforeAll, describe, expect, it } from "vitest";
import { philox4x32, type Words4 } from "../../../../shared/random/philox.js";
import { RandomStream } from "../../../../shared/random/random-stream.js";
import type { Kernels } from "../../../../worker/kernels/kernels.js";
import { compileKernels, instantiateKernels } from "../../../../worker/kernels/load-kernels.js";
import { SharedMemory } from "../../../../worker/kernels/shared-memory.js";

const f = Math.fround;
const GUARD = 12345.678;
const LENGTHS = [4, 16, 20, 64, 1028];
/** Carried through by IEEE rules, or a kernel hides a diverged network. */
const SPECIALS = [Number.NaN, Infinity, -Infinity, -0, 0, 1e-42, 3.4e38, -3.4e38];

let kernels: Kernels;
let memory: SharedMemory;
let random: RandomStream;

beforeAll(async () => {
  memory = new SharedMemory();
  kernels = instantiateKernels(await compileKernels(), memory.memory);
  random = new RandomStream({ seed: 1, purpose: 6 });
});

interface Buffer {
  readonly address: number;
  readonly values: Float32Array;
  readonly guards: Float32Array;
}

/** A buffer at an odd multiple of 16 bytes, with guards in front and behind that no kernel may touch. */
function buffer(length: number, fill: () => number): Buffer {
  const base = memory.allocate((length + 12) * 4);
  const guards = memory.float32(base, length + 12).fill(GUARD);
  const address = base + 16;
  const values = memory.float32(address, length);
  for (let i = 0; i < length; i++) values[i] = fill();
  return { address, values, guards };
}

const any = (): number =>
  random.nextBelow(6) === 0 ? SPECIALS[random.nextBelow(SPECIALS.length)]! : 8 * random.nextFloat() - 4;
const positive = (): number => 4 * random.nextFloat();

function expectBits(got: Buffer, expected: (i: number) => number): void {
  const length = got.values.length;
  for (let i = 0; i < length; i++) {
    if (!Object.is(got.values[i], f(expected(i)))) {
      expect.fail(`element ${i} of ${length} is ${got.values[i]}, expected ${f(expected(i))}`);
    }
  }
  expect(Array.from(got.guards.subarray(0, 4))).toEqual(Array(4).fill(f(GUARD)));
  expect(Array.from(got.guards.subarray(length + 4))).toEqual(Array(8).fill(f(GUARD)));
}

const mean = (sums: Buffer, count: number, i: number): number => f(sums.values[i]! / f(count));
const COUNT = 37;
/** What averages that decay are rounded down to; NaN stays. */
const settled = (value: number, least = 2 ** -100): number => (Math.abs(value) < least ? 0 : value);
const settledSquare = (value: number): number => settled(value, 2 ** -126);

describe.each(LENGTHS)("kernels on %i floats give the bits of their scalar formulas", (length) => {
  it("add", () => {
    const [a, b, out] = [buffer(length, any), buffer(length, any), buffer(length, any)];
    kernels.add(out.address, a.address, b.address, length);
    expectBits(out, (i) => a.values[i]! + b.values[i]!);
  });

  it("add, in place", () => {
    const [a, b] = [buffer(length, any), buffer(length, any)];
    const before = a.values.slice();
    kernels.add(a.address, a.address, b.address, length);
    expectBits(a, (i) => before[i]! + b.values[i]!);
  });

  it("scaledDifference", () => {
    const [a, b, out] = [buffer(length, any), buffer(length, any), buffer(length, any)];
    kernels.scaledDifference(out.address, a.address, b.address, length, COUNT);
    expectBits(out, (i) => f(a.values[i]! - b.values[i]!) * COUNT);
  });

  it("sgd", () => {
    const [next, p, s] = [buffer(length, any), buffer(length, any), buffer(length, any)];
    kernels.sgd(next.address, p.address, s.address, length, COUNT, 0.1);
    expectBits(next, (i) => p.values[i]! - f(f(0.1) * mean(s, COUNT, i)));
  });

  it("momentum", () => {
    const [next, nextV, p, v, s] = five(length);
    kernels.momentum(next.address, nextV.address, p.address, v.address, s.address, length, COUNT, 0.1, 0.9);
    const moved = (i: number): number => settled(f(f(f(0.9) * v.values[i]!) + mean(s, COUNT, i)));
    expectBits(nextV, moved);
    expectBits(next, (i) => p.values[i]! - f(f(0.1) * moved(i)));
  });

  it("nesterov", () => {
    const [next, nextV, p, v, s] = five(length);
    kernels.nesterov(next.address, nextV.address, p.address, v.address, s.address, length, COUNT, 0.1, 0.9);
    const moved = (i: number): number => settled(f(f(f(0.9) * v.values[i]!) + mean(s, COUNT, i)));
    expectBits(nextV, moved);
    expectBits(next, (i) => p.values[i]! - f(f(0.1) * f(mean(s, COUNT, i) + f(f(0.9) * moved(i)))));
  });

  it.each([0, 0.01])("adam with weight decay %d", (decay) => {
    const [next, nextM, p, m, s] = five(length);
    const [nextV, v] = [buffer(length, any), buffer(length, positive)];
    kernels.adam(
      next.address,
      nextM.address,
      nextV.address,
      p.address,
      m.address,
      v.address,
      s.address,
      length,
      COUNT,
      0.1,
      0.9,
      0.999,
      1e-7,
      0.271,
      18.25,
      decay,
    );
    const [b1, b2] = [f(0.9), f(0.999)];
    const g = (i: number): number => mean(s, COUNT, i);
    const m2 = (i: number): number => settled(f(f(b1 * m.values[i]!) + f(f(1 - b1) * g(i))));
    const v2 = (i: number): number => settledSquare(f(f(b2 * v.values[i]!) + f(f(1 - b2) * f(g(i) * g(i)))));
    expectBits(nextM, m2);
    expectBits(nextV, v2);
    const keep = f(1 - f(f(0.1) * f(decay)));
    const size = (i: number): number => f(f(f(Math.sqrt(v2(i))) * f(18.25)) + f(1e-7));
    expectBits(next, (i) => f(p.values[i]! * keep) - f(f(f(0.271) * m2(i)) / size(i)));
  });

  it("rmsprop", () => {
    const [next, nextQ, p, , s] = five(length);
    const q = buffer(length, positive);
    kernels.rmsprop(next.address, nextQ.address, p.address, q.address, s.address, length, COUNT, 0.1, 0.95, 1e-6);
    const g = (i: number): number => mean(s, COUNT, i);
    const q2 = (i: number): number => settledSquare(f(f(f(0.95) * q.values[i]!) + f(f(1 - f(0.95)) * f(g(i) * g(i)))));
    expectBits(nextQ, q2);
    expectBits(next, (i) => p.values[i]! - f(f(f(0.1) * g(i)) / f(Math.sqrt(f(q2(i) + f(1e-6))))));
  });

  it("adagrad", () => {
    const [next, nextA, p, , s] = five(length);
    const a = buffer(length, positive);
    kernels.adagrad(next.address, nextA.address, p.address, a.address, s.address, length, COUNT, 0.1, 1e-6);
    const g = (i: number): number => mean(s, COUNT, i);
    const a2 = (i: number): number => f(a.values[i]! + f(g(i) * g(i)));
    expectBits(nextA, a2);
    expectBits(next, (i) => p.values[i]! - f(f(f(0.1) * g(i)) / f(Math.sqrt(f(a2(i) + f(1e-6))))));
  });

  it("updates may overwrite what they read", () => {
    const [p, v, s] = [buffer(length, any), buffer(length, any), buffer(length, any)];
    const [oldP, oldV] = [p.values.slice(), v.values.slice()];
    kernels.momentum(p.address, v.address, p.address, v.address, s.address, length, COUNT, 0.1, 0.9);
    const moved = (i: number): number => settled(f(f(f(0.9) * oldV[i]!) + mean(s, COUNT, i)));
    expectBits(v, moved);
    expectBits(p, (i) => oldP[i]! - f(f(0.1) * moved(i)));
  });
});

describe("averages that decay", () => {
  /** Steps after which a decay of 0.9 has brought 1e-3 far below the smallest number that there is. */
  const STEPS = 1100;
  const LENGTH = 16;
  /** Behind the number of rows; every decay is 0.9. */
  const SETTINGS = {
    momentum: [0.1, 0.9],
    nesterov: [0.1, 0.9],
    adam: [1e-3, 0.9, 0.9, 1e-7, 1e-3, 1, 0],
    rmsprop: [1e-3, 0.9, 1e-7],
  };
  const NAMES = ["momentum", "nesterov", "adam", "rmsprop"] as const;

  it.each(NAMES)("of %s end at 0 and are never subnormal, in which processors are slow", (name) => {
    const parameters = buffer(LENGTH, () => 1);
    const averages = Array.from({ length: name === "adam" ? 2 : 1 }, () => buffer(LENGTH, () => 0));
    const sums = buffer(LENGTH, () => (random.nextBelow(2) === 0 ? 1 : -1) * 1e-3 * random.nextFloat());
    const arenas = [parameters, ...averages].map(({ address }) => address);
    const kernel = kernels[name] as (...numbers: number[]) => number;
    const update = () => kernel(...arenas, ...arenas, sums.address, LENGTH, 1, ...SETTINGS[name]);
    update();
    sums.values.fill(0);
    const ends: number[] = [];
    for (let step = 2; step <= STEPS; step++) {
      const before = averages.map(({ values }) => values.slice());
      update();
      for (const [state, { values }] of averages.entries()) {
        for (const [i, value] of values.entries()) {
          expect(value === 0 || Math.abs(value) >= 2 ** -126).toBe(true);
          if (value === 0 && before[state]![i] !== 0) ends.push(step);
        }
      }
    }
    expect(averages.every(({ values }) => values.every((value) => value === 0))).toBe(true);
    // Each of them ended, and not at once.
    expect(ends).toHaveLength(averages.length * LENGTH);
    expect(Math.min(...ends)).toBeGreaterThan(400);
  });
});

describe("firstNotFinite", () => {
  it.each([Number.NaN, Infinity, -Infinity])("finds %d at every position", (bad) => {
    for (let at = 0; at < 20; at++) {
      const source = buffer(20, positive);
      source.values[at] = bad;
      if (at + 3 < 20) source.values[at + 3] = Number.NaN;
      expect(kernels.firstNotFinite(source.address, 20)).toBe(at);
    }
  });

  it("finds nothing in finite floats, however large or small, nor beyond the end", () => {
    const source = buffer(24, positive);
    source.values.set([3.4028234663852886e38, -3.4028234663852886e38, 1e-45, -0]);
    source.values[20] = Number.NaN;
    expect(kernels.firstNotFinite(source.address, 20)).toBe(-1);
    expect(kernels.firstNotFinite(source.address, 0)).toBe(-1);
  });
});

describe("dropoutMask", () => {
  const ones = 2 ** 32 - 1;
  it.each([
    [0, 0, 2 ** 23],
    [ones, ones, 2 ** 22],
    [0xa4093822, 0x299f31d0, 2 ** 24 - 1],
    [1, ones, 0],
    [2 ** 31, 1, 2 ** 24],
  ])(
    "with key %i %i and threshold %i compares the words of Philox, and writes whole sixteens",
    (key0, key1, threshold) => {
      for (const length of [1, 3, 16, 17, 50, 64, 1030]) {
        const out = buffer(Math.ceil(length / 16) * 16, any);
        kernels.dropoutMask(out.address, length, key0, key1, threshold, 1 / 0.7);
        const words: Words4 = [0, 0, 0, 0];
        expectBits(out, (i) => {
          philox4x32(Math.floor(i / 4), 0, 0, 0, key0, key1, words);
          return words[i % 4]! >>> 8 < threshold ? 0 : 1 / 0.7;
        });
      }
    },
  );

  it("writes nothing for no floats", () => {
    const out = buffer(16, positive);
    const before = out.values.slice();
    kernels.dropoutMask(out.address, 0, 1, 2, 2 ** 23, 2);
    expectBits(out, (i) => before[i]!);
  });
});

function five(length: number): [Buffer, Buffer, Buffer, Buffer, Buffer] {
  const make = (): Buffer => buffer(length, any);
  return [make(), make(), make(), make(), make()];
}
