import { rm } from "node:fs/promises";
import { RingstrasseError } from "../../shared/failure.js";
import type { JobId } from "../../shared/ids.js";
import type { Logger } from "../../shared/logger.js";
import { writeFailure } from "../../shared/write-failure.js";
import type { BatchGround } from "../batch/batch-ground.js";
import { BatchKeeper, batchJobsIn } from "../batch/batch-keeper.js";
import type { BatchReports } from "../batch/batch-reports.js";
import type { WorkerLossWish } from "../cli/serve-options.js";
import type { TrainOptions } from "../cli/train-options.js";
import type { FileStore } from "../store/file-store.js";
import type { JobStore } from "../store/job-store.js";
import type { Store } from "../store/open-store.js";
import { ElsewhereRuns } from "./elsewhere-runs.js";
import { InterruptedJobs } from "./interrupted-jobs.js";
import { JobCheckpoints } from "./job-checkpoints.js";
import { JobDocuments } from "./job-documents.js";
import { JobEvaluations } from "./job-evaluations.js";
import type { JobKeeper } from "./job-keeper.js";
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
import { ServiceFolders } from "./service-folders.js";
import { ROUTE_OF_PART, StoredJobService } from "./stored-job-service.js";
import { JobTrainer } from "./train-job.js";
import type { TrainingGround } from "./training-ground.js";
import { TrainingTotals } from "./training-totals.js";

export interface JobServiceOptions {
  /** Stays the caller's, who closes it after the service. */
  readonly store: Pick<Store, "jobs" | "files">;
  /** Workers that jobs train on, or a batch system that they are handed to. */
  readonly ground: TrainingGround | BatchGround;
  /** What judges trained models. */
  readonly judge: ModelJudge;
  /** `runs/`, `rows/` and `lent/` below it are the service's; absolute. */
  readonly dataDirectory: string;
  /** Rank over every document: timeouts, evaluation, hashes. `transport` is tcp unless it is `ipc`, since workers may be anywhere. */
  readonly options?: TrainOptions;
  /** Of jobs that train on workers. Default: they end. */
  readonly afterWorkerLoss?: WorkerLossWish;
  readonly log: Logger;
  /** Milliseconds since 1970; default the system's clock. */
  readonly now?: () => number;
}

/**
 * Opens the service over an open store: jobs that were in progress when the last server ended wait again, and waiting jobs start as
 * workers allow. One service at a time per store. @throws RingstrasseError STORE_UNAVAILABLE, OUTPUT_UNWRITABLE
 */
export async function openJobService(settings: JobServiceOptions): Promise<JobService> {
  const { ground, judge, dataDirectory, log, now = Date.now, options = {}, afterWorkerLoss = "end" } = settings;
  const { jobs: store, files } = settings.store;
  const stream = new JobStream(store);
  const turns = new KeyedTurns<JobId>();
  const life = new JobLife(store, stream);
  const documents = new JobDocuments(store, options);
  const results = new RunResults(files, log);
  const totals = new TrainingTotals();
  const folders = new ServiceFolders(dataDirectory, options["data-dir"]);
  const checkpoints = new JobCheckpoints((id) => folders.outputOf(id));
  const elsewhere = new ElsewhereRuns({ store, stream, life, results, turns, now, totals });
  await removeLent(folders.lent);
  const unrecorded = await results.removeUnrecorded(store);
  if (unrecorded > 0) log.info({ files: unrecorded }, "files of runs that were interrupted are removed");
  const interrupted = new InterruptedJobs({ store, life, checkpoints, log });
  await interrupted.ofLastServer();
  const views = new JobViews({ store, results, ground });
  const base = {
    store,
    files,
    stream,
    life,
    documents,
    checkpoints,
    interrupted,
    results,
    elsewhere,
    views,
    turns,
    totals,
    dataDirectory,
    log,
    now,
    options,
    afterWorkerLoss,
  };
  const keeper = "train" in ground ? await runKeeper(base, ground) : await batchKeeper(base, ground);
  const queue = new JobQueue({ store, stream, keeper, ground, log });
  const removal = new JobRemoval({ store, stream, results, keeper, queue, turns });
  const places = { cacheDirectory: folders.rows, lentDirectory: folders.lent };
  const evaluations = new JobEvaluations({ store, files, documents, results, judge, ...places });
  keeper.onEnded(() => queue.schedule());
  ground.onCapacityChanged(() => queue.schedule());
  queue.schedule();
  return new StoredJobService({ ...base, removal, keeper, queue, evaluations });
}

/** What all keepers of jobs are made of. */
interface KeeperBase {
  readonly store: JobStore;
  readonly files: FileStore;
  readonly stream: JobStream;
  readonly life: JobLife;
  readonly documents: JobDocuments;
  readonly checkpoints: JobCheckpoints;
  readonly interrupted: InterruptedJobs;
  readonly results: RunResults;
  readonly elsewhere: ElsewhereRuns;
  readonly views: JobViews;
  readonly turns: KeyedTurns<JobId>;
  readonly totals: TrainingTotals;
  readonly dataDirectory: string;
  readonly log: Logger;
  readonly now: () => number;
  readonly options: TrainOptions;
  readonly afterWorkerLoss: WorkerLossWish;
}

/** Jobs train on this service's workers. @throws RingstrasseError USAGE when some are batch jobs, which would be trained twice */
async function runKeeper(base: KeeperBase, ground: TrainingGround): Promise<JobKeeper> {
  for await (const { id } of batchJobsIn(base.store)) {
    const problem = `job ${id} of this data directory is a batch job that waits or runs`;
    const remedy = "Serve with --launcher slurm until it has ended, or cancel it there";
    throw new RingstrasseError({ code: "USAGE", option: "--launcher", problem, remedy });
  }
  return new RunKeeper({ ...base, ground, trainer: new JobTrainer({ ...base, ground }) });
}

/** Jobs are handed to a batch system, and report from there. */
async function batchKeeper(base: KeeperBase, ground: BatchGround): Promise<JobKeeper> {
  const { store, documents, elsewhere, views, turns } = base;
  const reports: BatchReports = {
    report: (id, report) => elsewhere.report(id, report),
    reportingRun: (id) => elsewhere.reportingRun(id),
    replacePart: (id, part, body) => turns.run(id, () => documents.replacePart(id, ROUTE_OF_PART[part], body)),
    detail: (id) => views.detail(id),
    setStatus: async (id, status, place) => {
      await elsewhere.applyStatus(await store.summary(id), { status }, place);
    },
  };
  return await BatchKeeper.open({ ...base, ground, reports });
}

/** What a server that was killed had lent. */
async function removeLent(directory: string): Promise<void> {
  try {
    await rm(directory, { recursive: true, force: true });
  } catch (cause) {
    throw writeFailure(directory, cause);
  }
}
