import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Burst } from "../../../bench/train/contender-messages.js";
import { firstDifference, growthBytes, ratio, stepFigures, stepsFor } from "../../../bench/train/figures.js";

function burst(stepMs: readonly number[], cpuMs = 0): Burst {
  return { losses: stepMs.map(() => 1), stepMs: [...stepMs], cpuMs, residentBytes: 1 };
}

describe("stepFigures", () => {
  it("takes the median step of each round, and the median of the rounds", () => {
    const bursts = [burst([1, 2, 30], 6), burst([4, 5, 6], 15), burst([90, 3, 3], 9)];
    const figures = stepFigures({ name: "a", bursts });
    expect(figures.rounds).toEqual([2, 5, 3]);
    expect(figures.stepMs).toBe(3);
    expect(figures.meanStepMs).toBe(11);
    expect(figures.cpuMsPerStep).toBe(3);
  });

  it("has no figures of no rounds", () => {
    expect(() => stepFigures({ name: "a", bursts: [] })).toThrow(RangeError);
  });
});

describe("ratio", () => {
  it("compares within a round, so that a slow round of both changes nothing", () => {
    const own = { name: "a", bursts: [burst([1], 1), burst([100], 100), burst([2], 1)] };
    const other = { name: "b", bursts: [burst([2], 4), burst([200], 400), burst([2], 1)] };
    const found = ratio(own, other);
    expect(found).toMatchObject({ name: "a", of: "b", stepMs: 0.5, meanStepMs: 0.5, cpuMsPerStep: 0.25 });
    expect(found.range).toEqual([0.5, 1]);
  });

  it("is 1 of itself, and its range holds it", () => {
    const time = fc.double({ min: 0.01, max: 1000, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(time, time), { minLength: 1, maxLength: 9 }), (pairs) => {
        const own = { name: "a", bursts: pairs.map(([a]) => burst([a], a)) };
        const other = { name: "b", bursts: pairs.map(([, b]) => burst([b], b)) };
        expect(ratio(own, own).stepMs).toBe(1);
        const { stepMs, range } = ratio(own, other);
        expect(stepMs).toBeGreaterThanOrEqual(range[0]);
        expect(stepMs).toBeLessThanOrEqual(range[1]);
      }),
    );
  });

  it("refuses contenders of different numbers of rounds", () => {
    const one = { name: "a", bursts: [burst([1])] };
    expect(() => ratio(one, { name: "b", bursts: [burst([1]), burst([1])] })).toThrow(/a and b had other rounds/);
  });
});

describe("firstDifference", () => {
  it("finds the first step beyond the tolerance of the larger loss", () => {
    expect(firstDifference([2, 1.001, 5], [2, 1, 6], 0.01)).toEqual({ step: 3, own: 5, other: 6 });
    expect(firstDifference([2, 1.001], [2, 1, 6], 0.01)).toBeNull();
    expect(firstDifference([1], [1.02], 0.01)).toEqual({ step: 1, own: 1, other: 1.02 });
  });

  it("takes a loss that is no number for a difference, even from another", () => {
    expect(firstDifference([Number.NaN], [Number.NaN], 1)?.step).toBe(1);
    expect(firstDifference([1, Infinity], [1, 2], 0.5)?.step).toBe(2);
  });
});

describe("stepsFor", () => {
  it("makes bursts last about as long as asked for, but for a least number of steps", () => {
    expect(stepsFor(1000, burst([4, 5, 900]), 3)).toBe(200);
    expect(stepsFor(1000, burst([700]), 3)).toBe(3);
  });
});

describe("growthBytes", () => {
  it("is what later samples have more than the first ones", () => {
    expect(growthBytes([5, 9, 7, 8, 12, 10], 3)).toBe(3);
    expect(growthBytes([9, 8], 1)).toBe(-1);
    expect(() => growthBytes([1, 2, 3], 3)).toThrow(/3 samples/);
  });
});
