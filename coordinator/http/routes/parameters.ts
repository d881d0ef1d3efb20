import { z } from "zod";
import { type JobId, JobIdSchema } from "../../../shared/ids.js";
import { type QueueOptions, RESUME_CHOICES } from "../../service/job-service.js";
import { type FileId, FileIdSchema } from "../../store/object-id.js";
import { fileNotFound, jobNotFound } from "../../store/store-failure.js";

/** The job that a path speaks of. */
export const JobPathSchema = z.object({ id: z.string().describe("Id of the job, as in the Location of its POST") });
/** The stored file that a path speaks of. */
export const FilePathSchema = z.object({ fileId: z.string().describe("Id of the file, as its upload answered") });

/** What can't be an id is none. @throws RingstrasseError NOT_FOUND */
export function toJobId(text: string): JobId {
  const id = JobIdSchema.safeParse(text);
  if (!id.success) throw jobNotFound(shortened(text));
  return id.data;
}

/** What can't be an id is none. @throws RingstrasseError NOT_FOUND */
export function toFileId(text: string): FileId {
  const id = FileIdSchema.safeParse(text);
  if (!id.success) throw fileNotFound(shortened(text));
  return id.data;
}

/** A whole number in a query: plain digits, none of the other notations that JavaScript reads. */
export function wholeNumber(minimum: number, maximum: number) {
  return z
    .preprocess(
      (text) => (typeof text === "string" && /^-?\d{1,15}$/.test(text) ? Number(text) : text),
      z.number(`Give a whole number from ${minimum} to ${maximum}`).int().min(minimum).max(maximum),
    )
    .meta({ type: "integer", minimum, maximum });
}

/** How a job is queued. */
export const QueueQuerySchema = z.object({
  priority: wholeNumber(-1000, 1000).optional().describe("Higher is sooner"),
  resume: z
    .enum(RESUME_CHOICES)
    .optional()
    .describe("auto (default): go on from the last checkpoint of a run that did not finish; never: begin anew"),
});
export type QueueQuery = z.output<typeof QueueQuerySchema>;

/** What a query says, and nothing that it doesn't. */
export function queueOptions({ priority, resume }: QueueQuery): QueueOptions {
  return { ...(priority === undefined ? {} : { priority }), ...(resume === undefined ? {} : { resume }) };
}

function shortened(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
