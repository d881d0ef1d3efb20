import { z } from "zod";
import { MODEL_FILES } from "../model-file/model-facts.js";
import { TrainEventSchema } from "../train-events.js";

/**
 * What a job whose coordinator runs elsewhere tells the server, in this order: status INPROGRESS, batches of events, files of the model,
 * result documents, status FINISHED; or after any of them status ERROR. Over HTTP each is a request (see the ingest routes), in a spool
 * directory each is a file. Repeating one changes nothing.
 */

/** Names that a model's files may have. */
export const ModelFileNameSchema = z.enum(Object.values(MODEL_FILES));
export type ModelFileName = z.infer<typeof ModelFileNameSchema>;

/** Names one run of a job: a run that starts anew counts its events anew. */
export const RunNameSchema = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/);

/** Events that come before this batch in the run's report. */
export const EventPositionSchema = z.number().int().nonnegative();

/** Events in one batch at most. */
export const EVENT_BATCH = 1000;

/** Characters of a status's message that are kept, and sent over HTTP: written in an address they take up to 9 bytes each. */
export const STATUS_MESSAGE_LENGTH = 500;

/** The beginning of a message that is longer than is kept; shorter ones as they are. Pure. */
export function shortenMessage(message: string): string {
  if (message.length <= STATUS_MESSAGE_LENGTH) return message;
  // No half of a character that takes two places.
  return `${message.slice(0, STATUS_MESSAGE_LENGTH - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}

export const StatusReportSchema = z.strictObject({
  kind: z.literal("status"),
  status: z.enum(["INPROGRESS", "FINISHED", "ERROR"]),
  /** Why, for ERROR. */
  message: z.string().nullable(),
});
export const EventsReportSchema = z.strictObject({
  kind: z.literal("events"),
  run: RunNameSchema,
  from: EventPositionSchema,
  events: z.array(TrainEventSchema).min(1).max(EVENT_BATCH),
});
export const DocumentReportSchema = z.strictObject({
  kind: z.literal("document"),
  part: z.enum(["instance", "trainingresult", "result"]),
  xml: z.string(),
});
/** The file's content goes beside it: as the request's body, or in the spool file of the same number that ends in `.content`. */
export const ModelFileReportSchema = z.strictObject({
  kind: z.literal("modelFile"),
  name: ModelFileNameSchema,
  sizeBytes: z.number().int().nonnegative(),
});

export const RunReportSchema = z.discriminatedUnion("kind", [
  StatusReportSchema,
  EventsReportSchema,
  DocumentReportSchema,
  ModelFileReportSchema,
]);
export type StatusReport = z.infer<typeof StatusReportSchema>;
export type EventsReport = z.infer<typeof EventsReportSchema>;
export type DocumentReport = z.infer<typeof DocumentReportSchema>;
export type ModelFileReport = z.infer<typeof ModelFileReportSchema>;
export type RunReport = z.infer<typeof RunReportSchema>;

/** The answer to a batch of events. */
export const EventsTakenSchema = z.object({
  /** Of the batch; the others had come before. */
  taken: z.number().int().nonnegative(),
  /** `from` of the batch that comes next. */
  next: EventPositionSchema,
});
export type EventsTaken = z.infer<typeof EventsTakenSchema>;
