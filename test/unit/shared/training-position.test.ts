import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { epochToTrain, type TrainingPosition } from "../../../shared/training-position.js";

const PROGRESS: NonNullable<TrainingPosition["progress"]> = {
  sums: { lossSum: 1, correct: 1, absoluteErrorSum: 0, count: 1 },
  updates: { learningRate: 0.1, norms: 0, normSum: 0, skipped: 0, isScaled: false },
  stepMs: 1,
  communicationMs: 0,
};

/** All places between two steps of a job, in order; the last step's end is none. */
function boundaries(epochs: number, stepsPerEpoch: number): TrainingPosition[] {
  const steps = Array.from({ length: epochs * stepsPerEpoch - 1 }, (_, index) => index + 1);
  return steps.map((step) => {
    const epoch = Math.ceil(step / stepsPerEpoch);
    return { epoch, step, progress: step % stepsPerEpoch === 0 ? null : PROGRESS };
  });
}

describe("epochToTrain", () => {
  it("goes on in the epoch of the step after the position, or in the position's own when only its end is left", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), (epochs, stepsPerEpoch) => {
        for (const position of boundaries(epochs, stepsPerEpoch)) {
          expect(epochToTrain(position, stepsPerEpoch)).toBe(Math.ceil((position.step + 1) / stepsPerEpoch));
          if (position.progress !== null) continue;
          const beforeItsEnd = { ...position, progress: PROGRESS };
          expect(epochToTrain(beforeItsEnd, stepsPerEpoch)).toBe(position.epoch);
        }
      }),
    );
  });

  it("begins with the first epoch", () => {
    expect(epochToTrain({ epoch: 0, step: 0, progress: null }, 7)).toBe(1);
  });

  it("refuses places where training never stands", () => {
    expect(() => epochToTrain({ epoch: 2, step: 13, progress: null }, 7)).toThrow(
      /epoch 2 of 7 steps does not end with step 13/,
    );
    expect(() => epochToTrain({ epoch: 2, step: 7, progress: PROGRESS }, 7)).toThrow(/step 7 is not in epoch 2/);
    expect(() => epochToTrain({ epoch: 2, step: 15, progress: PROGRESS }, 7)).toThrow(/step 15 is not in epoch 2/);
  });
});
