import type { JobMetrics, StepPoint } from "../../../shared/api/job-metrics.js";
import type { EpochEvent } from "../../../shared/train-events.js";
import { emptySeries, extendSeries, seriesUpTo, type ThinnedSeries } from "./thinned-series.js";

/** Steps and epochs are drawn on one axis: together at most 2,000 points. */
const STEP_CAPACITY = 1_200;
const EPOCH_CAPACITY = 800;

/** Channels of {@link JobCurves.steps}. */
export const STEP_CHANNEL = { loss: 0, accuracy: 1, samplesPerSecond: 2, communicationFraction: 3 } as const;
/** Channels of {@link JobCurves.epochs}. */
export const EPOCH_CHANNEL = {
  trainLoss: 0,
  testLoss: 1,
  trainAccuracy: 2,
  testAccuracy: 3,
  trainError: 4,
  testError: 5,
} as const;

/** All that a job's charts draw; its size does not grow with the job. x of both: optimizer updates since the attempt's start. */
export interface JobCurves {
  readonly steps: ThinnedSeries;
  readonly epochs: ThinnedSeries;
}

export const NO_CURVES: JobCurves = { steps: emptySeries(STEP_CAPACITY), epochs: emptySeries(EPOCH_CAPACITY) };

/** Pure. What is known already is left out. */
export function extendCurves(curves: JobCurves, { epochs, steps }: JobMetrics): JobCurves {
  if (epochs.length === 0 && steps.length === 0) return curves;
  return {
    steps: steps.length === 0 ? curves.steps : extendSeries(curves.steps, steps.map(stepSample)),
    epochs: epochs.length === 0 ? curves.epochs : extendSeries(curves.epochs, epochs.map(epochSample)),
  };
}

/** Pure. The curves without what lies behind a step. */
export function curvesUpTo({ steps, epochs }: JobCurves, step: number): JobCurves {
  return { steps: seriesUpTo(steps, step), epochs: seriesUpTo(epochs, step) };
}

function stepSample(point: StepPoint) {
  const samplesPerSecond = point.wallMs === 0 ? null : point.rows / (point.wallMs / 1000);
  return { x: point.step, values: [point.loss, point.accuracy, samplesPerSecond, point.communicationFraction] };
}

function epochSample(event: EpochEvent) {
  const { steps, trainLoss, testLoss, trainAccuracy, testAccuracy } = event;
  const { trainMeanAbsoluteError, testMeanAbsoluteError } = event;
  const values = [trainLoss, testLoss, trainAccuracy, testAccuracy, trainMeanAbsoluteError, testMeanAbsoluteError];
  return { x: steps, values };
}
