import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plainSplit, stratifiedSplit } from "../../../../coordinator/data/stratified-split.js";
import { RANDOM_PURPOSE, RandomStream } from "../../../../shared/random/random-stream.js";

const random = (seed: number) => new RandomStream({ seed, purpose: RANDOM_PURPOSE.split });
const sum = (numbers: Iterable<number>) => [...numbers].reduce((total, value) => total + value, 0);

function countsOf(labels: readonly number[], classCount: number, held: Uint8Array) {
  const sizes = new Array<number>(classCount).fill(0);
  const heldOut = new Array<number>(classCount).fill(0);
  for (const [row, label] of labels.entries()) {
    sizes[label]! += 1;
    heldOut[label]! += held[row]!;
  }
  return { sizes, heldOut };
}

describe("stratifiedSplit", () => {
  const inputs = fc.integer({ min: 1, max: 6 }).chain((classCount) =>
    fc.record({
      classCount: fc.constant(classCount),
      labels: fc.array(fc.nat(classCount - 1), { maxLength: 200 }),
      fraction: fc.double({ min: 0, max: 0.99, noNaN: true }),
      seed: fc.nat(),
    }),
  );

  it("holds out the share of every class within one row, and round(f · n) in all, unless a class would be used up", () => {
    fc.assert(
      fc.property(inputs, ({ classCount, labels, fraction, seed }) => {
        const held = stratifiedSplit(Uint32Array.from(labels), classCount, fraction, random(seed));
        expect(held).toHaveLength(labels.length);
        expect(held.every((byte) => byte === 0 || byte === 1)).toBe(true);
        const { sizes, heldOut } = countsOf(labels, classCount, held);
        let usedUp = false;
        for (const [index, size] of sizes.entries()) {
          expect(Math.abs(heldOut[index]! - fraction * size)).toBeLessThan(1);
          if (size > 0) expect(heldOut[index]).toBeLessThan(size);
          if (size > 0 && heldOut[index] === size - 1) usedUp = true;
        }
        const total = Math.round(fraction * labels.length);
        if (usedUp) expect(sum(held)).toBeLessThanOrEqual(total);
        else expect(sum(held)).toBe(total);
      }),
      { numRuns: 300 },
    );
  });

  it("is the same for the same seed and differs by seed", () => {
    const labels = Uint32Array.from({ length: 150 }, (_, row) => row % 3);
    const held = stratifiedSplit(labels, 3, 0.35, random(6));
    expect(stratifiedSplit(labels, 3, 0.35, random(6))).toEqual(held);
    expect(stratifiedSplit(labels, 3, 0.35, random(7))).not.toEqual(held);
  });

  it("gives what rounding leaves over to the largest remainders, the lower class first", () => {
    const labels = Array.from({ length: 150 }, (_, row) => Math.floor(row / 50));
    const held = stratifiedSplit(Uint32Array.from(labels), 3, 0.35, random(6));
    // The published 53 test rows of iris: 17.5 of each class.
    expect(countsOf(labels, 3, held).heldOut).toEqual([18, 18, 17]);
    const uneven = [0, 0, 0, 0, 1, 1, 1, 2, 2];
    const heldUneven = stratifiedSplit(Uint32Array.from(uneven), 3, 0.3, random(6));
    // Shares 1.2, 0.9, 0.6; three rows in all.
    expect(countsOf(uneven, 3, heldUneven).heldOut).toEqual([1, 1, 1]);
  });

  it("leaves a class of a single row in training, even if fewer rows than asked for are held out", () => {
    const labels = Uint32Array.of(0, 1, 2, 2, 2, 2);
    const held = stratifiedSplit(labels, 3, 0.9, random(1));
    expect([held[0], held[1]]).toEqual([0, 0]);
    expect(sum(held)).toBe(3);
  });

  it("chooses every row about equally often", () => {
    const labels = Uint32Array.from({ length: 20 }, (_, row) => row % 2);
    const counts = new Array<number>(20).fill(0);
    for (let seed = 0; seed < 2000; seed++) {
      for (const [row, byte] of stratifiedSplit(labels, 2, 0.2, random(seed)).entries()) counts[row]! += byte;
    }
    // 400 expected, standard deviation 18.
    for (const count of counts) expect(Math.abs(count - 400)).toBeLessThan(90);
  });
});

describe("plainSplit", () => {
  it("holds out round(f · n) rows, seeded", () => {
    fc.assert(
      fc.property(fc.nat(300), fc.double({ min: 0, max: 0.99, noNaN: true }), fc.nat(), (rows, fraction, seed) => {
        const held = plainSplit(rows, fraction, random(seed));
        expect(held).toHaveLength(rows);
        expect(sum(held)).toBe(Math.round(fraction * rows));
        expect(plainSplit(rows, fraction, random(seed))).toEqual(held);
      }),
    );
    expect(plainSplit(100, 0.5, random(1))).not.toEqual(plainSplit(100, 0.5, random(2)));
  });
});
