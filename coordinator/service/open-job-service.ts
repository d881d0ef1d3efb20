import { rm } from "node:fs/promises";
import type { JobId } from "../../shared/ids.js";
import type { Logger } from "../../shared/logger.js";
import { writeFailure } from "../../shared/write-failure.js";
import type { TrainOptions } from "../cli/train-options.js";
import type { Store } from "../store/open-store.js";
import { ElsewhereRuns } from "./elsewhere-runs.js";
import { JobDocuments } from "./job-documents.js";
import { JobEvaluations } from "./job-evaluations.js";
import { JobLife } from "./job-life.js";
import { JobQueue } from "./job-queue.js";
import { JobRemoval } from "./job-removal.js";
import type { JobService } from "./job-service.js";
import { JobStream } from "./job-stream.js";
import { JobViews } from "./job-views.js";
import { KeyedTurns } from "./keyed-turns.js";
import type { ModelJudge } from "./model-judge.js";
import { RunKeeper } from "./run-keeper.js";
import { RunResults } from "./run-results.js";
import { StoredJobService } from "./stored-job-service.js";
import { JobTrainer } from "./train-job.js";
import type { TrainingGround } from "./training-ground.js";
import { TrainingTotals } from "./training-totals.js";

export interface JobServiceOptions {
  /** Stays the caller's, who closes it after the service. */
  readonly store: Pick<Store, "jobs" | "files">;
  readonly ground: TrainingGround;
  /** What judges trained models. */
  readonly judge: ModelJudge;
  /** `runs/`, `rows/` and `lent/` below it are the service's; absolute. */
  readonly dataDirectory: string;
  /** Rank over every document: timeouts, evaluation, hashes. `transport` is tcp unless it is `ipc`, since workers may be anywhere. */
  readonly options?: TrainOptions;
  readonly log: Logger;
  /** Milliseconds since 1970; default the system's clock. */
  readonly now?: () => number;
}

/** A job that was interrupted so often is the likely cause: it is not started again. */
const MAX_ATTEMPTS = 3;

/**
 * Opens the service over an open store: jobs that were in progress when the last server ended wait again, and waiting jobs start as
 * workers allow. One service at a time per store. @throws RingstrasseError STORE_UNAVAILABLE, OUTPUT_UNWRITABLE
 */
export async function openJobService(settings: JobServiceOptions): Promise<JobService> {
  const { ground, judge, dataDirectory, log, now = Date.now, options = {} } = settings;
  const { jobs: store, files } = settings.store;
  const stream = new JobStream(store);
  const turns = new KeyedTurns<JobId>();
  const life = new JobLife(store, stream);
  const documents = new JobDocuments(store, options);
  const results = new RunResults(files, log);
  const totals = new TrainingTotals();
  const trainer = new JobTrainer({ store, files, documents, ground, dataDirectory, options, now });
  const keeper = new RunKeeper({ store, stream, life, documents, results, trainer, ground, turns, log, now, totals });
  const queue = new JobQueue({ store, stream, keeper, ground, log });
  const removal = new JobRemoval({ store, stream, results, keeper, queue, turns });
  const elsewhere = new ElsewhereRuns({ store, stream, life, results, turns, now, totals });
  const views = new JobViews({ store, results, queue, ground });
  const { lentDirectory, cacheDirectory } = trainer;
  const evaluations = new JobEvaluations({ store, files, documents, results, judge, cacheDirectory, lentDirectory });
  await removeLent(lentDirectory);
  const unrecorded = await results.removeUnrecorded(store);
  if (unrecorded > 0) log.info({ files: unrecorded }, "files of runs that were interrupted are removed");
  const reason = { code: "INTERRUPTED", signal: "the end of the server that ran it" } as const;
  const { queued, failed } = await life.requeueInterrupted({ maxAttempts: MAX_ATTEMPTS, reason });
  if (queued.length + failed.length > 0) log.warn({ queued, failed }, "jobs were interrupted");
  keeper.onEnded(() => queue.schedule());
  ground.onCapacityChanged(() => queue.schedule());
  queue.schedule();
  const parts = {
    store,
    files,
    stream,
    life,
    documents,
    checkpoints: trainer.checkpoints,
    results,
    removal,
    keeper,
    queue,
    elsewhere,
    views,
    evaluations,
    turns,
    totals,
  };
  return new StoredJobService(parts);
}

/** What a server that was killed had lent. */
async function removeLent(directory: string): Promise<void> {
  try {
    await rm(directory, { recursive: true, force: true });
  } catch (cause) {
    throw writeFailure(directory, cause);
  }
}
