import type { SubmitOptions } from "../cli/submit-options.js";

/** Of jobs that say nothing of checkpoints. */
export const BATCH_CHECKPOINT_MINUTES = 10;

/** Nodes get lost: a batch job that says nothing of checkpoints has some. Pure. */
export function checkpointsOf(options: SubmitOptions): Pick<SubmitOptions, "checkpoint-minutes"> {
  const given = [options["checkpoint-steps"], options["checkpoint-epochs"], options["checkpoint-minutes"]];
  return given.some((each) => each !== undefined) ? {} : { "checkpoint-minutes": BATCH_CHECKPOINT_MINUTES };
}
