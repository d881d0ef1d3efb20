import { z } from "zod";
import { EpochBlockHashesSchema, ReplicaBlockHashesSchema } from "../../shared/block-hash.js";
import { JobIdSchema } from "../../shared/ids.js";
import { ScheduleSchema } from "../../shared/learning-rate/schedule.js";
import { OptimizerSpecSchema } from "../../shared/model-spec.js";
import { RoundRulesSchema } from "../../shared/round-rules.js";
import { LossScaleSchema } from "../../shared/step-rules.js";

/** Name of the log in an output directory. */
export const HASH_LOG_FILE = "hashes.jsonl";
export const HASH_LOG_VERSION = 1;

const whole = z.number().int().nonnegative();
const positive = z.number().int().positive();

/** The first line: what the run was, so that two runs can be compared, or refused by name. */
export const HashLogHeaderSchema = z.strictObject({
  kind: z.literal("header"),
  formatVersion: z.literal(HASH_LOG_VERSION),
  jobId: JobIdSchema,
  /** What decides over the bits of the result. */
  numerics: z.strictObject({
    engine: z.string(),
    engineVersion: z.string(),
    instructionSet: z.string(),
    threads: positive,
    seed: whole,
    batchSize: positive,
    epochs: positive,
    optimizer: OptimizerSpecSchema,
    /** The rules of a job's steps; absent in logs of versions that had none. */
    accumulate: positive.optional(),
    clipNorm: z.number().nullable().optional(),
    /** Absent in logs of versions that had float32 alone. */
    precision: z.string().optional(),
    schedule: ScheduleSchema.optional(),
    warmUpSteps: whole.optional(),
    compress: z.string().optional(),
    lossScale: LossScaleSchema.nullable().optional(),
    /** Absent in logs of versions without topk; null: all gradients were sent. */
    topkFraction: z.number().nullable().optional(),
    /** Absent in logs of versions without local-sgd; null: replicas exchange in every step. */
    rounds: RoundRulesSchema.nullable().optional(),
    /** Absent in logs of versions without async, and of those whose logs left it out; null: all workers do each step together. */
    mostStepsAhead: positive.nullable().optional(),
    loss: z.string(),
    /** Hash of the contents of the data's files, which decide over its rows together with the next two; null when there are none. */
    datasetSha256: z.string().nullable(),
    /** Share of the rows that was held out, and the column of the label (null: the last); absent in logs of versions that didn't say. */
    testSplit: z.number().optional(),
    labelIndex: whole.nullable().optional(),
  }),
  /** What must not matter, as long as the collective is ordered. */
  machinery: z.strictObject({
    workers: positive,
    collective: z.string(),
    transport: z.string(),
    ordered: z.boolean(),
  }),
  replicas: positive,
  blocks: z.strictObject({ blockLength: positive, blockCount: positive, paddedLength: positive }),
  /** Trainable tensors in layer order; offsets and lengths in floats of the arena. */
  tensors: z
    .array(z.strictObject({ name: z.string(), shape: z.array(positive), offset: whole, length: positive }))
    .min(1),
  /** The optimizer's state arenas, e.g. `["velocity"]`. */
  stateNames: z.array(z.string()),
  /** Whether steps were traced or only epochs. */
  granularity: z.enum(["epoch", "step"]),
});
export type HashLogHeader = z.infer<typeof HashLogHeaderSchema>;

/** State after the last step of an epoch; one with step 0 holds the initial parameters. */
export const EpochEntrySchema = z.strictObject({ kind: z.literal("epoch"), ...EpochBlockHashesSchema.shape });
/** One step of all replicas, ascending, and the parameters it led to. */
export const StepEntrySchema = z.strictObject({
  kind: z.literal("step"),
  ...ReplicaBlockHashesSchema.shape,
  parameters: ReplicaBlockHashesSchema.shape.parameters.unwrap(),
});
/** Entries stand in ascending order of (epoch, step); at the same place, the step before the epoch. */
export const HashLogEntrySchema = z.discriminatedUnion("kind", [EpochEntrySchema, StepEntrySchema]);
export type EpochEntry = z.infer<typeof EpochEntrySchema>;
export type StepEntry = z.infer<typeof StepEntrySchema>;
export type HashLogEntry = z.infer<typeof HashLogEntrySchema>;

/** Negative when `a` stands before `b` in a log, 0 at the same place. */
export function compareEntryPlaces(a: EntryPlace, b: EntryPlace): number {
  return a.epoch - b.epoch || a.step - b.step || kindOrder(a) - kindOrder(b);
}

export type EntryPlace = Pick<HashLogEntry, "kind" | "epoch" | "step">;

function kindOrder(entry: EntryPlace): number {
  return entry.kind === "step" ? 0 : 1;
}
