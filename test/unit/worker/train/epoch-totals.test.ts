import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EpochTotals } from "../../../../worker/train/epoch-totals.js";
import type { StepOutcome } from "../../../../worker/train/train-step.js";

const figure = fc.double({ min: 0, max: 1e6, noNaN: true });
const OUTCOME: fc.Arbitrary<StepOutcome> = fc
  .tuple(figure, fc.integer({ min: 1, max: 99 }), figure, figure, fc.boolean(), fc.boolean())
  .map(([lossSum, count, norm, ms, scaled, skipped]) => ({
    totals: { lossSum, correct: count - 1, absoluteErrorSum: lossSum / 3, count },
    update: {
      learningRate: ms,
      ...(scaled ? { lossScale: 8 } : {}),
      ...(skipped ? { skipped: true as const } : { gradientNorm: norm }),
    },
    ...{ localRows: count, elapsedMs: ms, communicationMs: ms / 2, sentBytes: 0, receivedBytes: 0, hashes: null },
  }));

describe("EpochTotals", () => {
  it("gives the same figures, to the bit, wherever an epoch is interrupted and gone on with", () => {
    fc.assert(
      fc.property(fc.array(OUTCOME, { minLength: 1, maxLength: 12 }), fc.nat(12), (outcomes, where) => {
        const undisturbed = new EpochTotals(null);
        for (const outcome of outcomes) undisturbed.add(outcome);
        let disturbed = new EpochTotals(null);
        for (const [index, outcome] of outcomes.entries()) {
          // As it comes out of a file.
          if (index === where) disturbed = new EpochTotals(JSON.parse(JSON.stringify(disturbed.progress())));
          disturbed.add(outcome);
        }
        for (const targets of ["class", "values"] as const)
          expect(disturbed.figures(targets)).toEqual(undisturbed.figures(targets));
      }),
    );
  });
});
