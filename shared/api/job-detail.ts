import { z } from "zod";
import { FailureSchema } from "../failure.js";
import {
  CollectiveEventSchema,
  FinishedEventSchema,
  GenerationEventSchema,
  StartedEventSchema,
  StepEventSchema,
} from "../train-events.js";
import { JobSummarySchema } from "./job-summary.js";

/** Something that a job has left behind and that can be fetched. */
export const JobFileSchema = z.object({
  name: z.string(),
  /** Path on this server, e.g. `/vinnsl/{id}/model` or `/storage/files/{fileId}`. */
  href: z.string().regex(/^\/(?!\/)/),
  sizeBytes: z.number().int().nonnegative().nullable(),
});
export type JobFile = z.infer<typeof JobFileSchema>;

/**
 * `GET /cluster/jobs/{id}`: all that a page needs to show a job at once, as of one moment. Everything but `job` speaks of the latest
 * attempt and is null until it has happened.
 */
export const JobDetailSchema = z.object({
  job: JobSummarySchema,
  /** The whole failure behind `job.statusReason`: culprit and remedy included. */
  failure: FailureSchema.nullable(),
  started: StartedEventSchema.nullable(),
  generation: GenerationEventSchema.nullable(),
  collective: CollectiveEventSchema.nullable(),
  lastStep: StepEventSchema.nullable(),
  result: FinishedEventSchema.nullable(),
  warnings: z.array(z.string()),
  files: z.array(JobFileSchema),
  /**
   * Sequence number of the last event that this answer takes into account; 0 when there is none. Reading `…/events` from here on
   * misses nothing.
   */
  lastEventId: z.number().int().nonnegative(),
});
export type JobDetail = z.infer<typeof JobDetailSchema>;
