import type { Failure } from "../../shared/failure.js";
import type { InterruptionFailure } from "../../shared/failure-place.js";
import type { JobId } from "../../shared/ids.js";
import type { JobEvent, JobStatus } from "../job/job-state.js";
import type {
  Job,
  JobDocument,
  JobProgress,
  JobStreamEvent,
  JobSummary,
  MetricKind,
  MetricRow,
  NewJob,
  RunFacts,
} from "./job-record.js";

/** Where a list goes on: opaque, from {@link JobPage.next}. */
export type Cursor = string;

export interface JobQuery {
  /** 1 to {@link JOB_PAGE}. */
  readonly limit: number;
  /** Default: from the beginning. */
  readonly cursor?: Cursor | null;
  /** Default: all. */
  readonly status?: JobStatus;
  /** By creation; default `oldest` first. */
  readonly order?: "oldest" | "newest";
}

export interface JobPage {
  readonly jobs: readonly JobSummary[];
  /** Null: there are no more. */
  readonly next: Cursor | null;
}

export type TransitionResult =
  | { readonly kind: "moved"; readonly job: JobSummary }
  | {
      readonly kind: "refused";
      /** As it stays. */
      readonly status: JobStatus;
      readonly reason: string;
      readonly allowed: readonly JobEvent[];
    };

/** What a finished run leaves. */
export type RunOutcome = Pick<RunFacts, "result" | "modelFileIds">;
/** What is known of a run when it starts, or later. */
export type RunPlan = Partial<
  Pick<
    RunFacts,
    | "interruptions"
    | "workersWanted"
    | "workers"
    | "replicas"
    | "elsewhere"
    | "reporting"
    | "batch"
    | "outputDirectory"
    | "testRowsSha256"
  >
>;

/** Events that are kept together with a change: who sees the job as it is now finds them too. Pure. */
export type Tell = (job: JobSummary) => readonly NewEvent[];

export interface TransitionDetails {
  /** Why, for `fail`. */
  readonly reason?: Failure | null;
  /** Recorded together with `finish`. */
  readonly outcome?: RunOutcome;
  /** Replaces the document together with the move; {@link JobStore.transition} then throws as {@link JobStore.replaceDocument}. */
  readonly document?: VersionedChange;
  /** Told when it has moved. */
  readonly tell?: Tell;
  /** Recorded together with `queue` or `start`. */
  readonly plan?: RunPlan;
  /** Whether `start` leaves the metrics of earlier runs: this one may go on where they end. Default: it forgets them. */
  readonly keepsMetrics?: boolean;
}

/** All of {@link TransitionDetails} that a start knows of. */
export type StartDetails = Pick<TransitionDetails, "plan" | "tell" | "keepsMetrics">;

/** How far a run has come: the last epoch that is over, and the last step that was done. */
export type RunPosition = Pick<MetricRow, "epoch" | "step">;

/** A run that was broken off, neither by the job's own fault, as far as is known, nor by a person's will. */
export interface Interruption {
  /** Kept with the job. */
  readonly reason: InterruptionFailure;
  /** Of the newest checkpoint that the job can go on from; 0: there is none. */
  readonly savedStep: number;
  readonly tell?: Tell;
}

/** Where a waiting job stands. */
export type QueuePosition = Pick<JobSummary, "priority" | "queuePlace">;

export interface MetricsQuery {
  /** Default `step`. */
  readonly kind?: MetricKind;
  /** First step (or epoch) wanted; default 0. */
  readonly from?: number;
  /** Rows at most, 1 to {@link METRIC_PAGE}. */
  readonly limit: number;
  /** Spread the rows evenly so that all from `from` to the latest fit in `limit`; the latest is always among them. */
  readonly downsample?: boolean;
}

export interface MetricsPage {
  readonly rows: readonly MetricRow[];
  /** `from` of the next page; null: there are no more rows. */
  readonly next: number | null;
}

export interface EventsPage {
  readonly events: readonly JobStreamEvent[];
  /** False: some of the events asked for are no longer kept. */
  readonly complete: boolean;
}

/**
 * Keeps jobs, what became of them, and their curves. A promise resolves when what it stands for survives a loss of power.
 * Calls may overlap: each change happens wholly or not at all, changes happen in the order of the calls, and reads see every change
 * whose promise has resolved. What a store is given and what it returns it does not touch later.
 *
 * Every operation on one job rejects with NOT_FOUND when there is no such job, and every operation with STORE_UNAVAILABLE when
 * the store can't be read or written, or was disposed of.
 */
export interface JobStore extends AsyncDisposable {
  /** A new job, CREATED. @throws QUOTA_EXCEEDED (`document`), DOCUMENT_INVALID (no Unicode text), USAGE (priority) */
  create(job: NewJob): Promise<Job>;

  get(id: JobId): Promise<Job>;

  /** As {@link get}, without reading the document. */
  summary(id: JobId): Promise<JobSummary>;

  /** A page of jobs; its cost does not depend on how many there are. @throws USAGE (limit, cursor) */
  list(query: JobQuery): Promise<JobPage>;

  /** All jobs in the order of creation; jobs that come or go meanwhile may or may not be among them. */
  statuses(): AsyncIterable<JobStatusEntry>;

  /** How many jobs there are in each status. Cost: an entry of an index for each. */
  counts(): Promise<Readonly<Record<JobStatus, number>>>;

  /**
   * Replaces the document that was read as version `expectedVersion`. @returns the job, its version one higher
   * @throws CONFLICT when it was replaced since; QUOTA_EXCEEDED, DOCUMENT_INVALID as {@link create}
   */
  replaceDocument(id: JobId, expectedVersion: number, change: DocumentChange): Promise<Job>;

  /** Stores a DL4J configuration with the job, or forgets it. @throws QUOTA_EXCEEDED (`document`), DOCUMENT_INVALID */
  replaceDl4j(id: JobId, text: string | null): Promise<void>;

  /** @throws USAGE when not whole or outside -1000 to 1000 */
  setPriority(id: JobId, priority: number): Promise<void>;

  /**
   * Moves the job on, as `nextJobStatus` decides. `queue` puts it at the end of the queue, forgets attempts and progress, and keeps
   * the last result; `start` counts an attempt and forgets the metrics of earlier runs, unless told to keep them; `fail` keeps the reason.
   */
  transition(id: JobId, event: JobEvent, details?: TransitionDetails): Promise<TransitionResult>;

  /**
   * Waiting jobs in the order in which they should start, those behind `after`'s place if given (which itself need not wait any more).
   * @throws USAGE (limit, 1 to {@link JOB_PAGE})
   */
  queued(limit: number, after?: QueuePosition): Promise<readonly JobSummary[]>;

  /** Starts a waiting job: of several claims of one job, one moves it and the others are refused. */
  claim(id: JobId, details?: StartDetails): Promise<TransitionResult>;

  /**
   * A job whose run here was broken off waits again at its old place, or fails when that has happened too often without its getting further:
   * see `interruptions.ts`. @returns as it is now; unchanged, and nothing is told, when no such run went on
   */
  interrupt(id: JobId, interruption: Interruption): Promise<JobSummary>;

  /**
   * A job whose run, here or as a batch job, was called off through no fault of its own waits again at its old place; the attempt does
   * not count against it. A batch job stays its batch job. @returns as it is now; unchanged, and nothing is told, when no such run went on
   */
  sendBack(id: JobId, reason: Failure | null, tell?: Tell): Promise<JobSummary>;

  /** Adds to what is known of the run. */
  recordRun(id: JobId, plan: RunPlan): Promise<void>;

  /** Keeps a result whose status comes by another way; {@link transition} keeps both at once. */
  recordResult(id: JobId, outcome: RunOutcome): Promise<void>;

  recordProgress(id: JobId, progress: JobProgress): Promise<void>;

  /**
   * Adds to the curves. Epoch rows are kept whole; step rows are thinned (see `metric-thinning.ts`). Every call waits for the disk:
   * give rows by the handful, not one by one. @throws USAGE when a step or epoch is no whole number
   */
  addMetrics(id: JobId, rows: readonly MetricRow[]): Promise<void>;

  /** Forgets the rows of later steps and epochs: a run goes on from here. @throws USAGE when they are no whole numbers */
  forgetMetrics(id: JobId, after: RunPosition): Promise<void>;

  /** In the order of steps or epochs. @throws USAGE (limit, from) */
  metrics(id: JobId, query: MetricsQuery): Promise<MetricsPage>;

  /**
   * Adds to the job's stream, in order. The latest {@link EVENTS_KEPT} are kept, and of those that are neither of a step nor of an
   * epoch twice as many. @returns the events with their numbers
   */
  addEvents(id: JobId, events: readonly NewEvent[]): Promise<readonly JobStreamEvent[]>;

  /** One event, as {@link addEvents}. */
  addEvent(id: JobId, event: NewEvent): Promise<JobStreamEvent>;

  /** The kept events after number `afterSequence` (0: from the beginning), `limit` at most. @throws USAGE (limit, 1 to {@link EVENT_PAGE}) */
  events(id: JobId, afterSequence: number, limit: number): Promise<EventsPage>;

  /** The kept events of these kinds, the latest first, `limit` at most. @throws USAGE (limit, 1 to {@link EVENT_PAGE}) */
  latestEvents(id: JobId, kinds: readonly string[], limit: number): Promise<readonly JobStreamEvent[]>;

  /** Number of the job's latest event; 0: there was none. */
  lastEventNumber(id: JobId): Promise<number>;

  /** Forgets the job, its metrics and its events, whatever its status; files are not touched. */
  delete(id: JobId): Promise<void>;
}

export type NewEvent = Pick<JobStreamEvent, "kind" | "data">;

export interface JobStatusEntry {
  readonly id: JobId;
  readonly status: JobStatus;
}

export interface DocumentChange {
  readonly document: JobDocument;
  /** Absent: stays. */
  readonly title?: string | null;
}

/** A change of the document that was read as this version. */
export interface VersionedChange extends DocumentChange {
  readonly expectedVersion: number;
}

/** Jobs in one page at most. */
export const JOB_PAGE = 1000;
/** Rows of a curve in one page at most. */
export const METRIC_PAGE = 10_000;
/** Events in one page at most. */
export const EVENT_PAGE = 10_000;
/** Events kept per job. */
export const EVENTS_KEPT = 10_000;
/** Kinds of events that come in such numbers that none of them is kept for long. */
export const FREQUENT_EVENTS: readonly string[] = ["step", "epoch"];
