import { z } from "zod";
import { EpochEventSchema, type StepEvent } from "../train-events.js";

const whole = z.number().int().nonnegative();
const amount = z.number().nonnegative();

/** One optimizer update without its workers: what curves are drawn from. */
export const StepPointSchema = z.object({
  epoch: whole,
  /** Counts from 1 since the start of the attempt. */
  step: whole,
  /** Mean over the step's rows. */
  loss: z.number(),
  accuracy: z.number().nullable(),
  rows: whole,
  /** Time of the slowest worker from the step's begin to its end, in milliseconds. */
  wallMs: amount,
  /** 0 … 1: part of all workers' time in the step that their computation waited for the exchange. */
  communicationFraction: z.number().min(0).max(1),
});
export type StepPoint = z.infer<typeof StepPointSchema>;

/**
 * `GET /vinnsl/{id}/metrics?from=`: of the latest attempt, in order of time; `from` is the first step wanted, and with it the epochs that
 * end there or later. Both may have been thinned by the server (whole steps or epochs left out, evenly), never the latest.
 */
export const JobMetricsSchema = z.object({ epochs: z.array(EpochEventSchema), steps: z.array(StepPointSchema) });
export type JobMetrics = z.infer<typeof JobMetricsSchema>;

/** Pure: the same reduction for the server that stores it and the page that draws a live event. */
export function toStepPoint(event: StepEvent): StepPoint {
  let wallMs = 0;
  let totalMs = 0;
  let communicationMs = 0;
  for (const worker of event.workers) {
    const ownMs = worker.computeMs + worker.communicationMs;
    wallMs = Math.max(wallMs, ownMs);
    totalMs += ownMs;
    communicationMs += worker.communicationMs;
  }
  const { epoch, step, loss, accuracy, rows } = event;
  const communicationFraction = totalMs === 0 ? 0 : Math.min(1, communicationMs / totalMs);
  return { epoch, step, loss, accuracy, rows, wallMs, communicationFraction };
}
