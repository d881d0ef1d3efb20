import { z } from "zod";
import { JobStatusSchema } from "./job-status.js";

const whole = z.number().int().nonnegative();
/** ISO 8601 in UTC. */
const instant = z.iso.datetime();

/** Why a job is in its status, in short; `code` is a failure code of `shared/failure.ts`. */
export const StatusReasonSchema = z.object({ code: z.string(), message: z.string() });
export type StatusReason = z.infer<typeof StatusReasonSchema>;

/** One line of a job list: no document, no history. */
export const JobSummarySchema = z.object({
  id: z.string().min(1),
  /** The document's own name for the network; empty where it has none. */
  name: z.string(),
  status: JobStatusSchema,
  statusReason: StatusReasonSchema.nullable(),
  createdAt: instant,
  updatedAt: instant,
  /** 1 for the first run, one more with every retrain or restart; 0 before the job was ever queued. */
  attempt: whole,
  /** Higher is sooner. */
  priority: z.number().int(),
  /** Null until the job has been planned. */
  workers: whole.nullable(),
  replicas: whole.nullable(),
  /** Epochs done in this attempt. */
  epoch: whole,
  /** Epochs asked for; null until the job has been planned. */
  epochs: whole.nullable(),
  /** Optimizer updates done in this attempt. */
  step: whole,
  /** Of the last epoch; null before the first. */
  trainLoss: z.number().nullable(),
  trainAccuracy: z.number().nullable(),
  testAccuracy: z.number().nullable(),
  /** Of the last epoch. */
  samplesPerSecond: z.number().nullable(),
});
export type JobSummary = z.infer<typeof JobSummarySchema>;

/** `GET /cluster/jobs?limit=&cursor=&status=`: newest first. */
export const JobPageSchema = z.object({
  jobs: z.array(JobSummarySchema),
  /** Opaque: what to pass as `cursor` for the next page; null on the last. */
  next: z.string().nullable(),
});
export type JobPage = z.infer<typeof JobPageSchema>;
