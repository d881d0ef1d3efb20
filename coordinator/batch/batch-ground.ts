import type { JobId } from "../../shared/ids.js";
import type { ReadJob } from "../job/plan-run.js";
import type { JobFiles } from "../service/job-files.js";
import type { Workforce } from "../service/training-ground.js";
import type { FileStore } from "../store/file-store.js";
import type { BatchScheduler, NotNow } from "./batch-scheduler.js";

/** One batch job of a job: no other of the same job has its key. */
export interface BatchJobName {
  readonly id: JobId;
  readonly key: string;
}

export interface BatchJobToWrite {
  readonly name: BatchJobName;
  readonly job: ReadJob;
  readonly found: JobFiles;
  readonly files: FileStore;
}

/** What a batch job needs is there. */
export interface WrittenBatchJob {
  readonly kind: "written";
  /** To be submitted. */
  readonly script: string;
  /** The output directory of an earlier batch job of this job that has saved states and not finished, which this one does not go on from; null: none. */
  readonly leftBehind: string | null;
}

export interface BatchTiming {
  /** Between looks for reports; default 500. */
  readonly lookMs: number;
  /** Between questions to the batch system; default 3000. */
  readonly askMs: number;
  /** Between tries to hand over a job that the batch system did not want yet; default 15,000. */
  readonly laterMs: number;
}

/** Where the service's jobs run when a batch system starts them: nodes that this service doesn't know. */
export interface BatchGround extends Workforce {
  readonly scheduler: BatchScheduler;
  readonly timing?: BatchTiming;

  /**
   * Writes into the batch job's folder all that its nodes need. Anything of it that is there already is written anew.
   * @param signal gives up what the batch system is asked @returns the script to submit, or why that has to wait
   * @throws RingstrasseError BATCH_REFUSED: the job asks for what there never was; OUTPUT_UNWRITABLE, STORE_DAMAGED
   */
  write(job: BatchJobToWrite, signal: AbortSignal): Promise<WrittenBatchJob | NotNow>;

  /** The name that the batch system knows the job by. */
  nameOf(name: BatchJobName): string;

  /** Where the run leaves its reports. */
  reportsOf(name: BatchJobName): string;

  /** What the batch job has said so far, its end alone if that is long; null: nothing yet. */
  logOf(name: BatchJobName, batchJob: string): Promise<{ readonly path: string; readonly text: string } | null>;

  /** The number of a batch job that has begun to say something; null: none has. */
  startedJobOf(name: BatchJobName): Promise<string | null>;

  /** Removes what only the run itself needed; results stay. */
  tidy(name: BatchJobName): Promise<void>;

  /** Removes all that the job's batch jobs have left. */
  forget(id: JobId): Promise<void>;
}
