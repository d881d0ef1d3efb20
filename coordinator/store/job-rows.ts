import { z } from "zod";
import { JobIdSchema } from "../../shared/ids.js";
import { JOB_STATUSES } from "../job/job-state.js";
import { type JobFacts, JobFactsSchema, type JobStreamEvent, type JobSummary } from "./job-record.js";
import { MetricRowSchema } from "./metric-row-text.js";

/** A column of JSON text. */
const json = <Schema extends z.ZodType>(schema: Schema) =>
  z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch (cause) {
        context.addIssue({ code: "custom", message: `no JSON: ${String(cause)}` });
        return z.NEVER;
      }
    })
    .pipe(schema);

/** A column of UTF-8 text. The driver gives the bytes of a blob as they are, in a buffer of their own. */
const utf8 = z.instanceof(ArrayBuffer).transform((bytes) => Buffer.from(bytes).toString());

export const SUMMARY_COLUMNS =
  "number, id, status, priority, queue_place, version, created_at, updated_at, facts" as const;

/** A row of {@link SUMMARY_COLUMNS}. */
export const SummaryRowSchema = z
  .object({
    number: z.number(),
    id: JobIdSchema,
    status: z.enum(JOB_STATUSES),
    priority: z.number(),
    queue_place: z.number().nullable(),
    version: z.number(),
    created_at: z.number(),
    updated_at: z.number(),
    facts: json(JobFactsSchema),
  })
  .transform(({ queue_place, created_at, updated_at, facts, ...row }): JobSummary => {
    return { ...row, ...facts, queuePlace: queue_place, createdAt: created_at, updatedAt: updated_at };
  });

/** The text of the facts column. */
export function encodeFacts({ title, statusReason, queuedAt, run, progress }: JobFacts): string {
  return JSON.stringify({ title, statusReason, queuedAt, run, progress });
}

export const DocumentRowSchema = z.object({ json: utf8, xml: utf8.nullable(), dl4j: utf8.nullable() });
export const StatusRowSchema = z.object({ number: z.number(), id: JobIdSchema, status: z.enum(JOB_STATUSES) });
export const CountRowSchema = z.object({ status: z.enum(JOB_STATUSES), count: z.number() });
export const NumberRowSchema = z.object({ value: z.number().nullable() });
export const RangeRowSchema = z.object({ first: z.number().nullable(), last: z.number().nullable() });
export const StoredMetricSchema = z.object({ body: json(MetricRowSchema) }).transform(({ body }) => body);
export const EventRowSchema = z
  .object({ sequence: z.number(), at: z.number(), kind: z.string(), data: utf8 })
  .transform((row): JobStreamEvent => row);
