import { unreachable } from "../unreachable.js";
import { cosineOfPi } from "./cosine-of-pi.js";
import type { Schedule } from "./schedule.js";
import { wholePower } from "./whole-power.js";

export interface LearningRatePlan {
  /** Its full height: where the warm-up ends and the schedule begins. */
  readonly learningRate: number;
  readonly schedule: Schedule;
  /** Updates in which the rate rises in equal parts from 0, the last of them at full height; 0: none. */
  readonly warmUpSteps: number;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
}

/**
 * The learning rate of update `step`, which counts from 1: height · warm-up · schedule, in float64. A pure function, and one of additions,
 * multiplications and divisions alone, so it has the same bits on every machine. O(log epochs).
 *
 * The warm-up is that of Goyal et al., "Accurate, large minibatch SGD" (2017). Schedules by epochs count these from the start of the job, as
 * there; those over the whole job begin when the warm-up is over.
 * @throws RangeError for a step that is no whole number ≥ 1
 */
export function learningRateOf(plan: LearningRatePlan, step: number): number {
  if (!Number.isSafeInteger(step) || step < 1) throw new RangeError(`updates are counted from 1, but step is ${step}`);
  const { learningRate, warmUpSteps } = plan;
  const warm = step < warmUpSteps ? step / warmUpSteps : 1;
  return learningRate * warm * shareOf(plan, step - 1);
}

/** The schedule's share after `done` updates. */
function shareOf({ schedule, warmUpSteps, epochs, stepsPerEpoch }: LearningRatePlan, done: number): number {
  const epochsDone = Math.floor(done / stepsPerEpoch);
  const falling = Math.max(1, epochs * stepsPerEpoch - warmUpSteps);
  const progress = Math.min(1, Math.max(0, done - warmUpSteps) / falling);
  switch (schedule.kind) {
    case "constant":
      return 1;
    case "step":
      return wholePower(schedule.decay, Math.floor(epochsDone / schedule.every));
    case "exponential":
      return wholePower(schedule.decay, epochsDone);
    case "cosine":
      return schedule.final + (1 - schedule.final) * ((1 + cosineOfPi(progress)) / 2);
    case "polynomial":
      return schedule.final + (1 - schedule.final) * wholePower(1 - progress, schedule.power);
    default:
      return unreachable(schedule);
  }
}
