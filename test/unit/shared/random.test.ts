import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { philox4x32, type Words4 } from "../../../shared/random/philox.js";
import { RANDOM_PURPOSE, RandomStream } from "../../../shared/random/random-stream.js";
import { shuffle } from "../../../shared/random/shuffle.js";

function philox(counter: Words4, key: [number, number]): string {
  const out: Words4 = [0, 0, 0, 0];
  philox4x32(...counter, ...key, out);
  return out.map((word) => word.toString(16).padStart(8, "0")).join(" ");
}

describe("philox4x32", () => {
  // Known answers published with the Random123 library (kat_vectors, philox4x32 10 rounds).
  it("gives the published known answers", () => {
    expect(philox([0, 0, 0, 0], [0, 0])).toBe("6627e8d5 e169c58d bc57ac4c 9b00dbd8");
    const ones = 0xffffffff;
    expect(philox([ones, ones, ones, ones], [ones, ones])).toBe("408f276d 41c83b0e a20bc7c6 6d5451fd");
    expect(philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0])).toBe(
      "d16cfe09 94fdcceb 5001e420 24126ea1",
    );
  });
});

describe("RandomStream", () => {
  const first = (key: ConstructorParameters<typeof RandomStream>[0]) => new RandomStream(key).nextUint32();

  it("draws the same numbers for the same key, others when any part differs", () => {
    const base = { seed: 7, purpose: RANDOM_PURPOSE.dropout, epoch: 1, step: 2, accumulation: 3, replica: 4, layer: 5 };
    const variants = Object.keys(base).map((part) => first({ ...base, [part]: 99 }));
    expect(first(base)).toBe(first({ ...base }));
    expect(new Set([first(base), ...variants]).size).toBe(variants.length + 1);
  });

  it("uses all 53 bits of the seed", () => {
    const seeds = [1, 1 + 2 ** 32, 1 + 2 ** 52].map((seed) => first({ seed, purpose: 1 }));
    expect(new Set(seeds).size).toBe(3);
  });

  it("refuses parts that are not whole numbers in range", () => {
    expect(() => new RandomStream({ seed: -1, purpose: 1 })).toThrow("seed is -1");
    expect(() => new RandomStream({ seed: 0, purpose: 1, epoch: 2 ** 32 })).toThrow("epoch");
    expect(() => new RandomStream({ seed: 0.5, purpose: 1 })).toThrow(RangeError);
  });

  it("is uniform in mean and variance", () => {
    const stream = new RandomStream({ seed: 3, purpose: 1 });
    const draws = Array.from({ length: 100_000 }, () => stream.nextFloat());
    const mean = draws.reduce((sum, x) => sum + x, 0) / draws.length;
    const variance = draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / draws.length;
    expect(mean).toBeCloseTo(0.5, 2);
    expect(variance).toBeCloseTo(1 / 12, 2);
    expect(Math.max(...draws.slice(0, 1000))).toBeLessThan(1);
  });

  it("draws below any bound without leaving it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 32 }), fc.nat(), (bound, seed) => {
        const stream = new RandomStream({ seed, purpose: 1 });
        for (let count = 0; count < 20; count++) {
          const value = stream.nextBelow(bound);
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThan(bound);
        }
      }),
    );
  });
});

describe("shuffle", () => {
  it("keeps every item and gives each order equally often", () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 6000; seed++) {
      const items = Uint32Array.of(0, 1, 2);
      shuffle(items, new RandomStream({ seed, purpose: 1 }));
      counts.set(items.join(), (counts.get(items.join()) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});
