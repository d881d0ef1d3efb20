import type { Cluster, ClusterWorker } from "../../shared/api/cluster.js";
import type { Evaluation } from "../../shared/api/evaluation.js";
import type { JobDetail } from "../../shared/api/job-detail.js";
import type { JobMetrics } from "../../shared/api/job-metrics.js";
import type { JobSummary as JobSummaryView } from "../../shared/api/job-summary.js";
import type { JobId } from "../../shared/ids.js";
import type { TrainEvent } from "../../shared/train-events.js";
import type { JobStatus } from "../job/job-state.js";
import type { Job, JobStreamEvent, JobSummary } from "../store/job-record.js";
import type { JobQuery } from "../store/job-store.js";
import type { VinnslObject } from "../vinnsl/object/vinnsl-object.js";
import type { ResultPart } from "../vinnsl/results/result-documents.js";
import type { RowsToJudgeBy } from "./job-evaluations.js";

/** A body that speaks of an object or a part of it, as it came. */
export interface DocumentBody {
  readonly format: "xml" | "json";
  readonly bytes: Uint8Array;
}

export interface Submission extends DocumentBody {
  /** Whole, -1000 to 1000; default 0. */
  readonly priority?: number;
}

/** A job with the object that it speaks of. */
export interface JobObject {
  readonly job: Job;
  readonly object: VinnslObject;
}

/** What a run that happens elsewhere reports; see `docs/adr/0006`. */
export type RunReport = RunEventsReport | ModelFileReport;

export interface RunEventsReport {
  readonly kind: "events";
  readonly events: readonly TrainEvent[];
  /** The run's name for itself; absent: it has none. */
  readonly run?: string;
}

/** A file of the model that a run elsewhere has trained. */
export interface ModelFileReport {
  readonly kind: "modelFile";
  readonly name: string;
  /** Asked for only when the job takes it and there is room for it. */
  readonly content: AsyncIterable<Uint8Array>;
  /** Of the content, where that is known before. */
  readonly sizeBytes?: number;
}

export interface StatusChange {
  readonly status: JobStatus;
  /** Why, for ERROR. */
  readonly message?: string;
}

/** Where a job that is queued again begins. */
export const RESUME_CHOICES = ["auto", "never"] as const;

export interface QueueOptions {
  /** Whole, -1000 to 1000; default: stays. */
  readonly priority?: number;
  /**
   * `auto`: a job that has not finished goes on from its newest sound checkpoint, where it has one and document, data and options are
   * still those; the result has the same bits either way. `never`: its checkpoints are removed. Default `auto`.
   */
  readonly resume?: (typeof RESUME_CHOICES)[number];
}

/**
 * The life of jobs as clients of the service see it: keeps them in the store, queues them, trains them on the training ground, gives
 * them their results. Changes are durable when their promise resolves. Calls may overlap.
 *
 * Every call with an id rejects with NOT_FOUND when there is no such job, CONFLICT when the job's status forbids it (the message lists
 * what is allowed), and with the store's failures.
 */
export interface JobService extends AsyncDisposable {
  /**
   * A new job, CREATED, its id as the object's identifier. Read and checked as training would: what can't be trained is refused now.
   * @throws DOCUMENT_INVALID, DOCUMENT_UNSUPPORTED, CHOICE_UNSUPPORTED, QUOTA_EXCEEDED, USAGE (priority)
   */
  submit(submission: Submission): Promise<Job>;

  object(id: JobId): Promise<JobObject>;

  /** All jobs with their objects, oldest first; memory does not grow with their number. */
  objects(): AsyncIterable<JobObject>;

  /** @throws as {@link submit} */
  replacePart(id: JobId, part: "definition" | ResultPart, body: DocumentBody): Promise<JobObject>;

  /** Makes a stored file the job's data, or its labels. @throws NOT_FOUND for the file too */
  addFile(id: JobId, fileId: string): Promise<JobObject>;

  /** What somebody stored, else derived from the definition; `differences` names what DL4J can't say the same way. */
  dl4j(id: JobId): Promise<{ readonly text: string; readonly differences: readonly string[] }>;
  /** @throws DOCUMENT_INVALID for what is no JSON object */
  replaceDl4j(id: JobId, bytes: Uint8Array): Promise<void>;

  /** CREATED, FINISHED and ERROR jobs wait for workers from here on (train, retrain). @throws OUTPUT_UNWRITABLE */
  queue(id: JobId, options?: QueueOptions): Promise<JobSummary>;

  /** A waiting job, or one in progress, ends as ERROR with the reason CANCELLED; resolves when its workers are free. */
  cancel(id: JobId): Promise<JobSummary>;

  /** As `PUT /status/{id}/{status}`: QUEUED queues, the others are for runs elsewhere, which report in. */
  setStatus(id: JobId, change: StatusChange): Promise<JobSummary>;

  statuses(): Promise<Readonly<Record<string, JobStatus>>>;
  /** In the order in which they will start. */
  queuedIds(): Promise<readonly JobId[]>;

  /** Cancels first when it waits or runs. Unknown ids: NOT_FOUND. */
  remove(id: JobId): Promise<void>;
  /** @returns how many there were */
  removeAll(): Promise<number>;

  /** Name of the run elsewhere that has told of itself last, since the job was queued; null: none has, or it had no name. */
  reportingRun(id: JobId): Promise<string | null>;
  /** Of a run elsewhere. @throws CONFLICT when the job is not in progress elsewhere; as the file store for model files */
  report(id: JobId, report: RunReport): Promise<void>;

  page(query: JobQuery): Promise<{ readonly jobs: readonly JobSummaryView[]; readonly next: string | null }>;
  detail(id: JobId): Promise<JobDetail>;
  /** @param limit of steps, and of epochs: each thinned evenly to so many */
  metrics(id: JobId, query: { readonly from: number; readonly limit: number }): Promise<JobMetrics>;
  /** Ids in the file store by file name, e.g. `model.json`. */
  modelFiles(id: JobId): Promise<ReadonlyMap<string, string>>;

  /**
   * How good the model of a FINISHED job is at rows whose labels are known; jobs train on meanwhile. Ends, with its reason, when
   * `signal` aborts; nothing of it is left.
   * @throws NOT_FOUND for a file too, CONFLICT without a model, USAGE when there are no rows, EVALUATION_TIMEOUT; DATA_INVALID,
   *   DATA_MISMATCH, INPUT_MISSING, MODEL_INVALID naming the files as they are stored
   */
  evaluate(id: JobId, rows: RowsToJudgeBy, signal: AbortSignal): Promise<Evaluation>;

  /**
   * The job's events after number `after`, those that are kept and those to come, in order, each with its number, until `signal`
   * aborts or the job is removed. A slow reader costs no memory: it misses steps and epochs that are no longer kept.
   */
  follow(id: JobId, after: number, signal: AbortSignal): AsyncIterable<JobStreamEvent>;

  /** Cost: reads the head of the queue, and goes over an index of all jobs. */
  cluster(): Promise<Cluster>;
  /** As {@link cluster} tells of them; for monitoring. */
  workers(): readonly ClusterWorker[];
  /** For monitoring. */
  counts(): Promise<Readonly<Record<JobStatus, number>>>;
  /** Of all runs, here and elsewhere, since this service began; for monitoring. Absent: it doesn't count. */
  totals?(): { readonly steps: number; readonly rows: number };
}
