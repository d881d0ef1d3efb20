import { z } from "zod";

const positive = z.number().int().positive();

/** After what a job's workers save their state; null: not after that. Each that holds counts. */
export const CheckpointPlanSchema = z.object({
  everySteps: positive.nullable(),
  everyEpochs: positive.nullable(),
  everyMs: z.number().positive().nullable(),
});
export type CheckpointPlan = z.infer<typeof CheckpointPlanSchema>;

/** None but those that are asked for. */
export const NO_CHECKPOINTS: CheckpointPlan = { everySteps: null, everyEpochs: null, everyMs: null };
