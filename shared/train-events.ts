import { z } from "zod";
import { MeasuredChoiceSchema } from "./collective-choice.js";
import { describeFailure } from "./describe-failure.js";
import { type Failure, FailureSchema } from "./failure.js";
import { JobIdSchema } from "./ids.js";

const whole = z.number().int().nonnegative();
const positive = z.number().int().positive();
const figure = z.number();
/** 0 … 1 */
const fraction = z.number().min(0).max(1);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** Milliseconds or a rate. */
const amount = z.number().nonnegative();

/** The first line: what the job is, with every default filled in. */
export const StartedEventSchema = z.strictObject({
  event: z.literal("started"),
  jobId: JobIdSchema,
  epochs: positive,
  stepsPerEpoch: positive,
  trainRows: positive,
  testRows: whole,
  workers: positive,
  replicas: positive,
  /** The effective configuration: option → value, wherever it came from. */
  configuration: z.record(z.string(), z.json()),
});

/** One membership of the ring. */
export const GenerationEventSchema = z.strictObject({
  event: z.literal("generation"),
  generation: whole,
  workers: z
    .array(z.strictObject({ rank: whole, host: z.string(), pid: whole.nullable(), replicas: z.array(whole) }))
    .min(1),
  reason: z.string(),
});

/** How several workers exchange, where it was left to the product; follows their generation. */
export const CollectiveEventSchema = z.strictObject({
  event: z.literal("collective"),
  generation: whole,
  collective: z.string(),
  reason: z.string(),
  /** Null: there was nothing to measure. */
  measured: MeasuredChoiceSchema.nullable(),
});

/** One optimizer update. */
export const StepEventSchema = z.strictObject({
  event: z.literal("step"),
  epoch: whole,
  step: whole,
  /** Mean over the step's rows. */
  loss: figure,
  /** Null for real-valued targets. */
  accuracy: fraction.nullable(),
  /** Over all workers. */
  rows: whole,
  /** That this update was done with. Absent in events of versions before schedules. */
  learningRate: amount.optional(),
  /** Length of the mean gradient before it was clipped; absent: not measured, since nothing clips. */
  gradientNorm: amount.optional(),
  /** What gradients were multiplied by for an exchange in fp16; absent: nothing scales. */
  lossScale: amount.optional(),
  /** The sums did not fit into fp16: nothing was changed. Absent: the update was done. */
  skipped: z.literal(true).optional(),
  /** By rank. */
  workers: z.array(
    z.strictObject({
      rank: whole,
      replicas: z.array(whole),
      rows: whole,
      computeMs: amount,
      communicationMs: amount,
      sentBytes: whole,
      receivedBytes: whole,
      /** Of asynchronous steps: updates by others that the worker's parameters had seen since it took them, and its lead over the slowest. */
      staleness: whole.optional(),
      stepsAhead: whole.optional(),
    }),
  ),
});

/** Train figures are means over the epoch's rows, test figures come after its last step; null: not measured. */
export const EpochEventSchema = z.strictObject({
  event: z.literal("epoch"),
  epoch: whole,
  epochs: positive,
  /** Updates since the start of the job. */
  steps: whole,
  trainLoss: figure,
  trainAccuracy: fraction.nullable(),
  trainMeanAbsoluteError: amount.nullable(),
  testLoss: figure.nullable(),
  testAccuracy: fraction.nullable(),
  testMeanAbsoluteError: amount.nullable(),
  /** Rows ÷ time spent in training steps. */
  samplesPerSecond: amount,
  /** Part of that time which the computation waited for the exchange. */
  communicationFraction: fraction,
  /** Since the start of the job. */
  elapsedMs: amount,
  /** Of the last update. Absent in events of versions before schedules. */
  learningRate: amount.optional(),
  /** Mean over the epoch's updates of the length of the mean gradient; absent: not measured, since nothing clips. */
  gradientNorm: amount.optional(),
  /** Updates left out since their sums did not fit into fp16; absent: nothing scales. */
  skippedSteps: whole.optional(),
  /** Of asynchronous steps, over all workers' updates of the epoch; absent: all did each step together. */
  meanStaleness: amount.optional(),
  maxStaleness: whole.optional(),
  maxStepsAhead: whole.optional(),
});

/** A checkpoint is on the device. */
export const CheckpointEventSchema = z.strictObject({
  event: z.literal("checkpoint"),
  epoch: whole,
  /** Updates since the start of the job. */
  step: whole,
  /** Whether `epoch` is over; else it is under way. */
  endsEpoch: z.boolean(),
  /** Under the output directory, which its name begins with. */
  file: z.string(),
  sizeBytes: whole,
  /** From the worker's first word of it. */
  tookMs: amount,
  /** Of what it holds; as the last line would tell it, if the job ended here. */
  stateSha256: sha256,
});

/** The run goes on from a checkpoint; follows `started`. */
export const ResumedEventSchema = z.strictObject({
  event: z.literal("resumed"),
  epoch: whole,
  step: whole,
  /** As the user would name it. */
  file: z.string(),
  stateSha256: sha256,
});

export const WarningEventSchema = z.strictObject({ event: z.literal("warning"), message: z.string() });

/** The last line of a job that ended well. Stable: other programs read it. */
export const FinishedEventSchema = z.strictObject({
  event: z.literal("finished"),
  jobId: JobIdSchema,
  status: z.literal("FINISHED"),
  engine: z.string(),
  collective: z.string(),
  /** Whether the gradients were folded in the canonical order: then the hashes don't depend on the workers. */
  ordered: z.boolean(),
  workers: positive,
  replicas: positive,
  threads: positive,
  epochs: whole,
  /** Updates since the start of the job. */
  steps: whole,
  trainLoss: figure,
  trainAccuracy: fraction.nullable(),
  testLoss: figure.nullable(),
  testAccuracy: fraction.nullable(),
  /** Of the last epoch. */
  samplesPerSecond: amount,
  communicationFraction: fraction,
  wallMs: amount,
  weightsSha256: sha256,
  stateSha256: sha256,
  modelDir: z.string(),
});

/** The last line of a job that failed. `rank` and `host` name the worker, where there is one to name. */
export const FailedEventSchema = z.strictObject({
  event: z.literal("failed"),
  status: z.literal("ERROR"),
  code: z.enum(FailureSchema.options.map((option) => option.shape.code.value)),
  message: z.string(),
  rank: whole.nullable(),
  host: z.string().nullable(),
});

/** All lines of `ringstrasse train --json`, one object each. Key order is as given here. */
export const TrainEventSchema = z.discriminatedUnion("event", [
  StartedEventSchema,
  GenerationEventSchema,
  CollectiveEventSchema,
  StepEventSchema,
  EpochEventSchema,
  CheckpointEventSchema,
  ResumedEventSchema,
  WarningEventSchema,
  FinishedEventSchema,
  FailedEventSchema,
]);
export type StartedEvent = z.infer<typeof StartedEventSchema>;
export type GenerationEvent = z.infer<typeof GenerationEventSchema>;
export type CollectiveEvent = z.infer<typeof CollectiveEventSchema>;
export type StepEvent = z.infer<typeof StepEventSchema>;
export type EpochEvent = z.infer<typeof EpochEventSchema>;
export type CheckpointEvent = z.infer<typeof CheckpointEventSchema>;
export type ResumedEvent = z.infer<typeof ResumedEventSchema>;
export type WarningEvent = z.infer<typeof WarningEventSchema>;
export type FinishedEvent = z.infer<typeof FinishedEventSchema>;
export type FailedEvent = z.infer<typeof FailedEventSchema>;
export type TrainEvent = z.infer<typeof TrainEventSchema>;

/** One line, without its end. Does not validate: a step event is made for every step. */
export function encodeTrainEvent(event: TrainEvent): string {
  return JSON.stringify(event);
}

/** The last line of a job that ended by `failure`. */
export function failedEvent(failure: Failure): FailedEvent {
  return {
    event: "failed",
    status: "ERROR",
    code: failure.code,
    message: describeFailure(failure),
    rank: "rank" in failure ? failure.rank : null,
    host: "host" in failure ? failure.host : null,
  };
}
