import { z } from "zod";

const positive = z.number().int().positive();
/** Of the full learning rate. */
const share = z.number().min(0).max(1);
const decay = z.number().positive().max(1);

/** Highest power of a polynomial schedule. */
export const HIGHEST_POWER = 16;

/**
 * How the learning rate falls after its warm-up, as a share of its full height. e: epochs that are over; p: how much of the updates after the
 * warm-up is over, from 0 to just below 1.
 */
export const ScheduleSchema = z.discriminatedUnion("kind", [
  /** 1 */
  z.object({ kind: z.literal("constant") }),
  /** decay^⌊e / every⌋ */
  z.object({ kind: z.literal("step"), decay, /** Epochs. */ every: positive }),
  /** decay^e: falls from epoch to epoch. */
  z.object({ kind: z.literal("exponential"), decay }),
  /** final + (1 − final) · (1 + cos πp) / 2 (Loshchilov and Hutter, "SGDR", ICLR 2017, without restarts) */
  z.object({ kind: z.literal("cosine"), final: share }),
  /** final + (1 − final) · (1 − p)^power; power 1 is a straight line. */
  z.object({ kind: z.literal("polynomial"), power: positive.max(HIGHEST_POWER), final: share }),
]);
export type Schedule = z.infer<typeof ScheduleSchema>;
export type ScheduleKind = Schedule["kind"];
export const SCHEDULE_KINDS = [
  "constant",
  "step",
  "exponential",
  "cosine",
  "polynomial",
] as const satisfies ScheduleKind[];
