import { z } from "zod";
import { ScheduleSchema } from "./learning-rate/schedule.js";
import { RoundRulesSchema } from "./round-rules.js";

const positive = z.number().int().positive();
/** Most micro-batches of one replica's slice. */
export const MOST_MICRO_BATCHES = 65_536;
/** A loss scale beyond these would do no more than overflow or vanish by itself. Powers of two: scaling is exact. */
export const LOSS_SCALES = { smallest: 2 ** -24, largest: 2 ** 24, first: 2 ** 16 } as const;

/** What users may write for a loss scale, for messages. */
export const LOSS_SCALE_FORM = "dynamic, or a power of two from 2^-24 to 2^24 such as 1024";

/** Whether scaling by it is exact and sensible. Pure. */
export function isLossScale(value: number): boolean {
  const { smallest, largest } = LOSS_SCALES;
  return value >= smallest && value <= largest && 2 ** Math.round(Math.log2(value)) === value;
}

const scale = z.number().refine(isLossScale, `${LOSS_SCALE_FORM} is needed`);

/** What an exchange sends of gradients: `none` is all of them as float32, `topk` the largest. */
export const PAYLOAD_FORMATS = ["none", "bf16", "fp16", "topk"] as const;
export type PayloadFormat = (typeof PAYLOAD_FORMATS)[number];

/**
 * What gradients are multiplied by before they are rounded to 16 bits: always the same, or one that follows what fits. `first` is where
 * a dynamic one begins.
 */
export const LossScaleSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("static"), scale }),
  z.object({ kind: z.literal("dynamic"), first: scale }),
]);
export type LossScale = z.infer<typeof LossScaleSchema>;

/** What sums of gradients are rounded to on their way, or which gradients are sent. */
export const PayloadSchema = z.discriminatedUnion("format", [
  z.object({ format: z.literal("none") }),
  z.object({ format: z.literal("bf16") }),
  z.object({ format: z.literal("fp16"), lossScale: LossScaleSchema }),
  /** Share of all gradients that a replica sends in a step; at least one of them. */
  z.object({ format: z.literal("topk"), fraction: z.number().positive().max(1) }),
]);
export type Payload = z.infer<typeof PayloadSchema>;

/**
 * What layers multiply in: `bfloat16` rounds the factors of products and convolutions, and what comes out of them, to 8 bits; parameters,
 * gradients and all else stay float32 (Micikevicius et al., "Mixed precision training", ICLR 2018).
 */
export const PRECISIONS = ["float32", "bfloat16"] as const;
export type Precision = (typeof PRECISIONS)[number];

/** How the steps of a job are cut, computed, exchanged and applied. All of it decides the bits of the result. */
export const StepRulesSchema = z.object({
  /** K: micro-batches that a replica's slice of a step is computed in. */
  accumulate: positive.max(MOST_MICRO_BATCHES),
  /** A mean gradient longer than this is made so long; null: none is. */
  clipNorm: z.number().positive().nullable(),
  /** float32 in checkpoints of versions before it. */
  precision: z.enum(PRECISIONS).default("float32"),
  schedule: ScheduleSchema,
  /** Updates in which the learning rate rises to its full height. */
  warmUpSteps: z.number().int().nonnegative(),
  payload: PayloadSchema,
  /** Of the strategy local-sgd; null, as in checkpoints of versions before it: replicas exchange in every step. */
  rounds: RoundRulesSchema.nullable().default(null),
  /** S, of asynchronous steps: how far ahead of the slowest a worker may be; null: all do each step together. */
  mostStepsAhead: positive.nullable().default(null),
});
export type StepRules = z.infer<typeof StepRulesSchema>;

/** Whole slices, float32, a constant learning rate, no clipping: what a job does that asks for nothing else. */
export const PLAIN_STEP: StepRules = {
  accumulate: 1,
  clipNorm: null,
  precision: "float32",
  schedule: { kind: "constant" },
  warmUpSteps: 0,
  payload: { format: "none" },
  rounds: null,
  mostStepsAhead: null,
};
