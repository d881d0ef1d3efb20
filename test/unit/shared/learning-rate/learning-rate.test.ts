import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cosineOfPi } from "../../../../shared/learning-rate/cosine-of-pi.js";
import { type LearningRatePlan, learningRateOf } from "../../../../shared/learning-rate/learning-rate.js";
import type { Schedule } from "../../../../shared/learning-rate/schedule.js";
import { parseWarmUp, warmUpSteps } from "../../../../shared/learning-rate/warm-up.js";
import { wholePower } from "../../../../shared/learning-rate/whole-power.js";

const share = fc.double({ min: 0, max: 1, noNaN: true });
const decay = fc.double({ min: 0.01, max: 1, noNaN: true });
const schedules: fc.Arbitrary<Schedule> = fc.oneof(
  fc.constant({ kind: "constant" } as const),
  fc.record({ kind: fc.constant("step" as const), decay, every: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ kind: fc.constant("exponential" as const), decay }),
  fc.record({ kind: fc.constant("cosine" as const), final: share }),
  fc.record({ kind: fc.constant("polynomial" as const), power: fc.integer({ min: 1, max: 16 }), final: share }),
);
const plans: fc.Arbitrary<LearningRatePlan> = fc.record({
  learningRate: fc.double({ min: 1e-6, max: 10, noNaN: true }),
  schedule: schedules,
  warmUpSteps: fc.integer({ min: 0, max: 60 }),
  epochs: fc.integer({ min: 1, max: 12 }),
  stepsPerEpoch: fc.integer({ min: 1, max: 20 }),
});

const rates = (plan: LearningRatePlan): number[] =>
  Array.from({ length: plan.epochs * plan.stepsPerEpoch }, (_, index) => learningRateOf(plan, index + 1));

const PLAN = { learningRate: 0.8, warmUpSteps: 0, epochs: 4, stepsPerEpoch: 2 };

describe("learningRateOf", () => {
  it("never leaves 0 … the full height, and rises in the warm-up of a constant rate alone", () => {
    fc.assert(
      fc.property(plans, (plan) => {
        for (const rate of rates(plan)) {
          expect(rate).toBeGreaterThanOrEqual(0);
          expect(rate).toBeLessThanOrEqual(plan.learningRate * (1 + 1e-12));
        }
      }),
    );
  });

  it("never rises once the warm-up is over", () => {
    fc.assert(
      fc.property(plans, (plan) => {
        const after = rates(plan).slice(Math.max(0, plan.warmUpSteps - 1));
        for (const [index, rate] of after.entries()) {
          expect(rate).toBeLessThanOrEqual((after[index - 1] ?? rate) * (1 + 1e-12));
        }
      }),
    );
  });

  it("has its full height at the end of the warm-up, where the schedule has not fallen by then", () => {
    fc.assert(
      fc.property(plans, (plan) => {
        const kind = plan.schedule.kind;
        if (plan.warmUpSteps === 0 || kind === "step" || kind === "exponential") return;
        const rate = learningRateOf(plan, plan.warmUpSteps);
        expect(Math.abs(rate / plan.learningRate - 1)).toBeLessThan(1e-12);
        const half = { ...plan, warmUpSteps: 2 * plan.warmUpSteps };
        expect(learningRateOf(half, plan.warmUpSteps)).toBeCloseTo(plan.learningRate / 2, 9);
      }),
    );
  });

  it("agrees with the formulas as mathematics has them", () => {
    fc.assert(
      fc.property(plans, (plan) => {
        const { schedule, warmUpSteps: warm, epochs, stepsPerEpoch } = plan;
        for (const [index, rate] of rates(plan).entries()) {
          const epoch = Math.floor(index / stepsPerEpoch);
          const p = Math.max(0, index - warm) / Math.max(1, epochs * stepsPerEpoch - warm);
          const shares = {
            constant: () => 1,
            step: () => schedule.kind === "step" && schedule.decay ** Math.floor(epoch / schedule.every),
            exponential: () => schedule.kind === "exponential" && schedule.decay ** epoch,
            cosine: () =>
              schedule.kind === "cosine" && schedule.final + ((1 - schedule.final) * (1 + Math.cos(Math.PI * p))) / 2,
            polynomial: () =>
              schedule.kind === "polynomial" && schedule.final + (1 - schedule.final) * (1 - p) ** schedule.power,
          };
          const expected =
            plan.learningRate * Math.min(1, (index + 1) / Math.max(1, warm)) * Number(shares[schedule.kind]());
          expect(Math.abs(rate - expected)).toBeLessThanOrEqual(1e-12 * plan.learningRate);
        }
      }),
    );
  });

  it.each([
    [{ kind: "constant" }, [0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8]],
    [{ kind: "step", decay: 0.5, every: 2 }, [0.8, 0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.4]],
    [{ kind: "exponential", decay: 0.5 }, [0.8, 0.8, 0.4, 0.4, 0.2, 0.2, 0.1, 0.1]],
    [{ kind: "polynomial", power: 1, final: 0 }, [0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]],
  ] as const)("%j over 4 epochs of 2 updates", (schedule, expected) => {
    for (const [index, rate] of rates({ ...PLAN, schedule }).entries()) {
      expect(rate).toBeCloseTo(expected[index] ?? -1, 12);
    }
  });

  it("is exactly the learning rate where nothing changes it, and refuses steps that can't be", () => {
    const plan = { ...PLAN, learningRate: 0.1, schedule: { kind: "constant" } } as const;
    expect(learningRateOf(plan, 5)).toBe(0.1);
    for (const step of [0, -1, 1.5, Number.NaN]) expect(() => learningRateOf(plan, step)).toThrow(RangeError);
  });
});

describe("cosineOfPi", () => {
  it("agrees with the library, and is exact where the truth is a whole number", () => {
    for (let index = 0; index <= 10_000; index++) {
      expect(Math.abs(cosineOfPi(index / 10_000) - Math.cos((Math.PI * index) / 10_000))).toBeLessThan(1e-15);
    }
    expect([0, 0.5, 1].map(cosineOfPi)).toEqual([1, 0, -1]);
    expect(() => cosineOfPi(1.1)).toThrow(RangeError);
  });

  it("has bits of its own making: these", () => {
    const bits = new BigUint64Array(Float64Array.from([0.1, 0.3, 0.7], cosineOfPi).buffer);
    expect(Array.from(bits, (word) => word.toString(16))).toMatchInlineSnapshot(`
      [
        "3fee6f0e134454ff",
        "3fe2cf2304755a5e",
        "bfe2cf2304755a5d",
      ]
    `);
  });
});

describe("wholePower", () => {
  it("is exact for powers of two, and close to the truth else", () => {
    expect(wholePower(0.5, 1000)).toBe(2 ** -1000);
    expect(wholePower(7, 0)).toBe(1);
    fc.assert(
      fc.property(decay, fc.integer({ min: 0, max: 200 }), (base, exponent) => {
        expect(Math.abs(wholePower(base, exponent) - base ** exponent)).toBeLessThanOrEqual(1e-13 * base ** exponent);
      }),
    );
    expect(() => wholePower(2, 0.5)).toThrow(RangeError);
  });
});

describe("warm-ups", () => {
  it.each([
    ["5", { amount: 5, unit: "epochs" }, 50],
    ["0.25", { amount: 0.25, unit: "epochs" }, 3],
    ["1 epoch", { amount: 1, unit: "epochs" }, 10],
    ["500steps", { amount: 500, unit: "steps" }, 500],
    [" 7 Steps ", { amount: 7, unit: "steps" }, 7],
    ["0", { amount: 0, unit: "epochs" }, 0],
  ] as const)("%j", (text, expected, steps) => {
    const warmUp = parseWarmUp(text);
    expect(warmUp).toEqual(expected);
    expect(warmUpSteps(warmUp ?? { amount: -1, unit: "steps" }, 10)).toBe(steps);
  });

  it.each(["", "five", "-1", "1.5 steps", "1e3", "5 hours", "9999999999"])("%j is none", (text) => {
    expect(parseWarmUp(text)).toBeNull();
  });
});
