import { z } from "zod";
import {
  CheckpointEventSchema,
  CollectiveEventSchema,
  EpochEventSchema,
  FailedEventSchema,
  FinishedEventSchema,
  GenerationEventSchema,
  ResumedEventSchema,
  StartedEventSchema,
  StepEventSchema,
  WarningEventSchema,
} from "../train-events.js";
import { JobStatusSchema } from "./job-status.js";
import { StatusReasonSchema } from "./job-summary.js";

/** A job has moved from one status to another; comes with every transition, the ones without a run included. */
export const StatusEventSchema = z.object({
  event: z.literal("status"),
  status: JobStatusSchema,
  statusReason: StatusReasonSchema.nullable(),
});
export type StatusEvent = z.infer<typeof StatusEventSchema>;

/**
 * `GET /vinnsl/{id}/events`: the `data` of one server-sent event; its `event` field repeats the key of that name, its `id` is a whole
 * number that rises with every event of the job, over all attempts. A client resumes with `Last-Event-ID`. The server sends a comment
 * line at least every {@link KEEP_ALIVE_MS} so that a broken connection is noticed.
 */
export const JobEventSchema = z.discriminatedUnion("event", [
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
  StatusEventSchema,
]);
export type JobEvent = z.infer<typeof JobEventSchema>;

/** Longest silence on an event stream whose connection is sound, in milliseconds. */
export const KEEP_ALIVE_MS = 15_000;
