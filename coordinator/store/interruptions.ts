import { z } from "zod";
import type { InterruptionFailure } from "../../shared/failure-place.js";

const whole = z.number().int().nonnegative();

/** How often a job's runs were broken off since one of them last got further. */
export const InterruptionsSchema = z.object({
  /** In a row; 0: not since a person queued the job. */
  times: whole,
  /** The furthest step whose state was saved at one of them; 0: none was. */
  step: whole,
});
export type Interruptions = z.infer<typeof InterruptionsSchema>;

export const NO_INTERRUPTIONS: Interruptions = { times: 0, step: 0 };

/** So many in a row without getting further, and the job is the likely cause: it is not started again. */
export const MAX_INTERRUPTIONS = 3;

/**
 * Pure: the count after one more interruption. A newer checkpoint than at any one before is progress, and the count begins anew; being back
 * at a place where the job was already is none. So a job of S steps ends after S + 1 times {@link MAX_INTERRUPTIONS} interruptions at
 * the latest, whatever happens to it. Batch scripts hold time limits to the same rule (`batch-script.ts`), in their own language.
 * @param savedStep of the newest checkpoint; 0: there is none
 */
export function interruptedOnce(before: Interruptions, savedStep: number): Interruptions {
  return savedStep > before.step ? { times: 1, step: savedStep } : { times: before.times + 1, step: before.step };
}

/** Pure: whether the job may go on. */
export function mayGoOn({ times }: Interruptions): boolean {
  return times < MAX_INTERRUPTIONS;
}

/** Pure: the last interruption of a job that does not go on, which says why not. */
export function repeatedFailure(failure: InterruptionFailure, { times, step }: Interruptions): InterruptionFailure {
  return { ...failure, repeated: { times, step } };
}

/** Pure: for people, how many more there may be. */
export function describeGoingOn({ times, step }: Interruptions): string {
  const place = step === 0 ? "before a first checkpoint" : `without a newer checkpoint than that of step ${step}`;
  return `The job goes on by itself: this is interruption ${times} ${place}, and number ${MAX_INTERRUPTIONS} ends it`;
}
