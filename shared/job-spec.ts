import { z } from "zod";
import { DatasetSpecSchema } from "./data/dataset-spec.js";
import { EngineNameSchema, type EngineWish } from "./engine-name.js";
import { JobIdSchema } from "./ids.js";
import { ModelSpecSchema, OptimizerSpecSchema } from "./model-spec.js";
import { StepRulesSchema } from "./step-rules.js";

const positive = z.number().int().positive();

/** All that workers know of a job: what a ViNNSL document, the command line and the data mean together. */
export const JobSpecSchema = z.object({
  jobId: JobIdSchema,
  seed: z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER),
  /** R: logical ranks, fixed for the whole job. */
  replicas: positive,
  /** Threads of one replica's computation: a property of the job, since it may change bits. */
  threads: positive,
  engine: EngineNameSchema,
  model: ModelSpecSchema,
  /** Its learning rate is the full height of the schedule. */
  optimizer: OptimizerSpecSchema,
  stepRules: StepRulesSchema,
  /** Passes over the training rows. */
  epochs: positive,
  /** B: rows per step, over all replicas. */
  batchSize: positive,
  /** Stop after the first epoch whose mean training loss is below this. */
  lossThreshold: z.number().positive().nullable(),
  dataset: DatasetSpecSchema,
  /** Evaluate on the test rows after every so many epochs; after the last one always. */
  evaluateEvery: positive,
  /** How often hashes of all blocks are kept for `ringstrasse diff`. */
  blockHashes: z.enum(["epoch", "step"]),
});
export type JobSpec = z.infer<typeof JobSpecSchema>;

/** A job whose workers are not known yet: with `auto`, what they have decides. */
export interface PlannedJobSpec extends Omit<JobSpec, "engine"> {
  readonly engine: EngineWish;
}
