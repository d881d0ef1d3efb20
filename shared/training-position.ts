import { z } from "zod";

const whole = z.number().int().nonnegative();
const figure = z.number();

/** What the steps of an epoch have added up to so far: all that its report, and the decision to stop after it, need of them. */
export const EpochProgressSchema = z.object({
  sums: z.object({ lossSum: figure, correct: figure, absoluteErrorSum: figure, count: whole }),
  updates: z.object({ learningRate: figure, norms: whole, normSum: figure, skipped: whole, isScaled: z.boolean() }),
  /** Of one worker. */
  stepMs: figure,
  communicationMs: figure,
});
export type EpochProgress = z.infer<typeof EpochProgressSchema>;

/**
 * Where training stands between two steps. `progress` belongs to the epoch under way; null: `epoch` is over, with its tests and its
 * report (or nothing has begun, at epoch 0).
 */
export const TrainingPositionSchema = z.object({
  epoch: whole,
  step: whole,
  progress: EpochProgressSchema.nullable(),
  /** Of the parameters, so far, by an asynchronous job: a step of it has one for each worker. Absent: it has one for each step. */
  updates: whole.optional(),
});
export type TrainingPosition = z.infer<typeof TrainingPositionSchema>;

/**
 * The epoch (from 1 on) in which training goes on from a position; all its steps may be done, and its end not. Pure.
 * @throws RangeError for a position that training never stands at
 */
export function epochToTrain({ epoch, step, progress }: TrainingPosition, stepsPerEpoch: number): number {
  if (progress === null) {
    if (step !== epoch * stepsPerEpoch)
      throw new RangeError(`epoch ${epoch} of ${stepsPerEpoch} steps does not end with step ${step}`);
    return epoch + 1;
  }
  const stepsOfEpoch = step - (epoch - 1) * stepsPerEpoch;
  if (epoch < 1 || stepsOfEpoch < 1 || stepsOfEpoch > stepsPerEpoch)
    throw new RangeError(`step ${step} is not in epoch ${epoch} of ${stepsPerEpoch} steps`);
  return epoch;
}
