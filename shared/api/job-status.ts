import { z } from "zod";

/** The ViNNSL stack's own words for the life of a job, in the order in which a job passes through them. */
export const JobStatusSchema = z.enum(["CREATED", "QUEUED", "INPROGRESS", "FINISHED", "ERROR"]);
export type JobStatus = z.infer<typeof JobStatusSchema>;

/** `GET /status`: job id → status, of all jobs. */
export const StatusesResponseSchema = z.record(z.string(), JobStatusSchema);
export type StatusesResponse = z.infer<typeof StatusesResponseSchema>;
