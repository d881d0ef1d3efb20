import { z } from "zod";
import { ENGINE_WISHES } from "../../shared/engine-name.js";
import { FailureSchema } from "../../shared/failure.js";
import type { JobId } from "../../shared/ids.js";
import { PRECISIONS } from "../../shared/step-rules.js";
import { FinishedEventSchema } from "../../shared/train-events.js";
import type { JobStatus } from "../job/job-state.js";
import { InterruptionsSchema, NO_INTERRUPTIONS } from "./interruptions.js";

const whole = z.number().int().nonnegative();
/** Milliseconds since 1970. */
const time = whole.nullable();

/** How far a run has come, for lists. */
export const JobProgressSchema = z.object({
  epoch: whole,
  epochs: whole,
  /** Updates since the start of the run. */
  step: whole,
  /** Updates in the whole run; null: not known. */
  steps: whole.nullable(),
  /** Of the latest step; null: none yet, or not finite. */
  loss: z.number().nullable(),
  /** Of the latest step; null: none yet, or real-valued targets. */
  accuracy: z.number().nullable(),
  /** Figures of the last epoch; null: none yet. */
  lastEpoch: z
    .object({
      trainLoss: z.number().nullable(),
      trainAccuracy: z.number().nullable(),
      testAccuracy: z.number().nullable(),
      samplesPerSecond: z.number().nullable(),
    })
    .nullable()
    .default(null),
  /** Milliseconds since 1970. */
  at: whole,
});
export type JobProgress = z.infer<typeof JobProgressSchema>;

/** A job in the hands of a batch system. */
export const BatchFactsSchema = z.object({
  /** Names the batch job and its folder, and no other of the same job. */
  key: z.string(),
  /** The batch system's number for it; null: not known to have been taken. */
  batchJob: z.string().nullable(),
  /** How the run itself says that it failed: the batch system may start it again; null: it has not. */
  reported: z.string().nullable(),
});
export type BatchFacts = z.infer<typeof BatchFactsSchema>;

/** Workers that a job can run on. */
export const WorkersWantedSchema = z.object({
  min: whole,
  max: whole,
  engine: z.enum(ENGINE_WISHES).default("auto"),
  /** Of one computation. */
  threads: whole.default(1),
  precision: z.enum(PRECISIONS).default("float32"),
});
export type WorkersWanted = z.infer<typeof WorkersWantedSchema>;

/** What a job's current run is, or its last one was. */
export const RunFactsSchema = z.object({
  /** Starts since a person queued the job; 0 before the first. */
  attempt: whole,
  /** Starts before that. */
  earlierAttempts: whole.default(0),
  /** Runs that were broken off, since a person queued the job. */
  interruptions: InterruptionsSchema.default(NO_INTERRUPTIONS),
  /** Which workers the job may run on; null: not known before it waits. */
  workersWanted: WorkersWantedSchema.nullable().default(null),
  workers: whole.nullable(),
  replicas: whole.nullable(),
  /** Where it runs when not on this server's workers (it reports in, and outlives the server); else null. */
  elsewhere: z.string().nullable(),
  /** The run elsewhere that reports it, by the name that it gives itself; null: none has told of itself yet. */
  reporting: z.string().nullable().default(null),
  /** The batch job that it was handed to; null: none. */
  batch: BatchFactsSchema.nullable().default(null),
  startedAt: time,
  finishedAt: time,
  outputDirectory: z.string().nullable(),
  /** Over the bytes of the rows that it is tested on; null: nothing is held out, or not known here. */
  testRowsSha256: z.string().nullable().default(null),
  /** Of the last run that finished: queueing the job again does not forget it. */
  result: FinishedEventSchema.nullable(),
  /** Ids in the file store of that run's model files. */
  modelFileIds: z.array(z.string()),
});
export type RunFacts = z.infer<typeof RunFactsSchema>;

/**
 * What of a job changes as a whole and is not searched for; kept as one text by the stores. A field that is added later needs a default
 * here: texts that were written before lack it.
 */
export const JobFactsSchema = z.object({
  title: z.string().nullable(),
  statusReason: FailureSchema.nullable(),
  queuedAt: time,
  run: RunFactsSchema,
  progress: JobProgressSchema.nullable(),
});
export type JobFacts = z.infer<typeof JobFactsSchema>;

/** A job without its document. */
export interface JobSummary extends JobFacts {
  readonly id: JobId;
  /** Rises with every job ever created; lists are in its order. */
  readonly number: number;
  readonly status: JobStatus;
  /** Higher runs first. */
  readonly priority: number;
  /** Order among waiting jobs of equal priority; null when the job neither waits nor runs. */
  readonly queuePlace: number | null;
  /** Of the document: 1 at first, one more with every replacement. */
  readonly version: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Last change of document, status, priority or result; progress, metrics and events don't count. */
  readonly updatedAt: number;
}

/** The store neither reads nor changes these texts. */
export interface JobDocument {
  /** The object as the service speaks of it, as JSON. */
  readonly json: string;
  /** The document as it came, when it came as XML. */
  readonly xml: string | null;
}

/** The stack's "vinnsl object". */
export interface Job extends JobSummary {
  readonly document: JobDocument;
  /** The DL4J configuration that somebody stored with the job. */
  readonly dl4j: string | null;
}

export interface NewJob {
  readonly document: JobDocument;
  /** For lists. */
  readonly title?: string | null;
  /** Whole, -1000 to 1000; default 0. */
  readonly priority?: number;
}

/** One row of a run's curves. */
export interface MetricRow {
  /** A step's row is named by `step`, an epoch's by `epoch`: a row of the same name replaces the earlier one. */
  readonly kind: MetricKind;
  readonly epoch: number;
  readonly step: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Any numbers, NaN and infinities included; null: not measured. */
  readonly values: Readonly<Record<string, number | null>>;
}
export type MetricKind = "step" | "epoch";

/** Something that happened to a job, as a stream of server-sent events tells it. */
export interface JobStreamEvent {
  /** 1, 2, 3, … per job, over all its runs: what a listener that comes back names. */
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly kind: string;
  /** JSON text. */
  readonly data: string;
}

/** Before its first run. */
export const NO_RUN: RunFacts = {
  attempt: 0,
  earlierAttempts: 0,
  interruptions: NO_INTERRUPTIONS,
  workersWanted: null,
  workers: null,
  replicas: null,
  elsewhere: null,
  reporting: null,
  batch: null,
  startedAt: null,
  finishedAt: null,
  outputDirectory: null,
  testRowsSha256: null,
  result: null,
  modelFileIds: [],
};
