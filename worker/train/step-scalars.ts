import type { StepSums } from "../engine/engine.js";

const LOSS = 0;
const CORRECT = 1;
const ABSOLUTE_ERROR = 2;
const COUNT = 3;

/** What a replica with an empty slice contributes: it folds in +0 and is never skipped. */
export const NO_SUMS: StepSums = { lossSum: 0, correct: 0, absoluteErrorSum: 0, count: 0 };

/** @param block from where the step's scalars begin */
export function writeScalars(block: Float64Array, sums: StepSums): void {
  block[LOSS] = sums.lossSum;
  block[CORRECT] = sums.correct;
  block[ABSOLUTE_ERROR] = sums.absoluteErrorSum;
  block[COUNT] = sums.count;
}

/** @param block from where the step's scalars begin */
export function readScalars(block: Float64Array): StepSums {
  const [lossSum = 0, correct = 0, absoluteErrorSum = 0, count = 0] = block;
  return { lossSum, correct, absoluteErrorSum, count };
}

/** Sums of several steps, in step order. */
export function addSums(a: StepSums, b: StepSums): StepSums {
  return {
    lossSum: a.lossSum + b.lossSum,
    correct: a.correct + b.correct,
    absoluteErrorSum: a.absoluteErrorSum + b.absoluteErrorSum,
    count: a.count + b.count,
  };
}

/** Means over rows: what people read. */
export interface Means {
  readonly loss: number;
  /** Null for real-valued targets. */
  readonly accuracy: number | null;
  /** Null for classes. */
  readonly meanAbsoluteError: number | null;
}

export function meansOf(sums: StepSums, targets: "class" | "values"): Means {
  return {
    loss: sums.lossSum / sums.count,
    accuracy: targets === "class" ? sums.correct / sums.count : null,
    meanAbsoluteError: targets === "values" ? sums.absoluteErrorSum / sums.count : null,
  };
}
