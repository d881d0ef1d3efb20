import { join } from "node:path";
import { arenaLayout } from "../../shared/arena-layout.js";
import { toFailure } from "../../shared/failure.js";
import type { JobId } from "../../shared/ids.js";
import { parametersOf } from "../../shared/model-spec.js";
import type { TrainEvent } from "../../shared/train-events.js";
import type { TrainingPosition } from "../../shared/training-position.js";
import type { SavedCheckpoint } from "../checkpoint/saved-checkpoint.js";
import type { TrainOptions } from "../cli/train-options.js";
import type { PreparedDataset } from "../data/prepare-dataset.js";
import { RowsHold } from "../data/rows-hold.js";
import { engineNeedOf } from "../group/choose-engine.js";
import type { JobSettings } from "../job/job-settings.js";
import { planRun, prepareRows, type ReadJob, type RunToPlan } from "../job/plan-run.js";
import type { TrainingRun } from "../job/training-run.js";
import type { FileStore } from "../store/file-store.js";
import { NO_INTERRUPTIONS } from "../store/interruptions.js";
import type { WorkersWanted } from "../store/job-record.js";
import type { JobStore } from "../store/job-store.js";
import type { JobCheckpoints } from "./job-checkpoints.js";
import type { JobDocuments } from "./job-documents.js";
import { findJobFiles, lendJobFiles } from "./job-files.js";
import { metricRows } from "./run-records.js";
import { ServiceFolders } from "./service-folders.js";
import type { RunSurroundings, TrainedRun, TrainingGround } from "./training-ground.js";

/** Of a run that goes on from nothing. */
const BEGINNING: TrainingPosition = { epoch: 0, step: 0, progress: null };

export interface JobTrainerOptions {
  readonly store: JobStore;
  readonly files: FileStore;
  readonly documents: JobDocuments;
  readonly ground: TrainingGround;
  /** `runs/`, `rows/` and `lent/` below it are the trainer's. */
  readonly dataDirectory: string;
  readonly options: TrainOptions;
  /** Of all jobs. */
  readonly checkpoints: JobCheckpoints;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** One attempt at a job, as its keeper sees it. */
export interface Attempt {
  readonly id: JobId;
  readonly signal: AbortSignal;
  readonly emit: (event: TrainEvent) => void;
  /** Sets idle workers aside for the attempt, in the place of those set aside before: as many as there are, 0 when fewer than `wanted.min`. */
  readonly setAside: (wanted: WorkersWanted) => number;
  /** Told when the training ground has taken the workers. */
  readonly taken: () => void;
  readonly onStop: RunSurroundings["onStop"];
}

export type AttemptResult =
  | { readonly kind: "trained"; readonly run: TrainingRun; readonly trained: TrainedRun }
  /** The workers that were idle when it began are so no more, or haven't got the engine that it goes on with; which it waits for is recorded. */
  | { readonly kind: "short" };

/** What the queue gives the job workers by; one that goes on from a checkpoint stays with the engine of that. Pure. */
export function workersWanted(settings: JobSettings, resumed: SavedCheckpoint | null = null): WorkersWanted {
  const { engine, threads, workerRange, step } = settings;
  const before = engine.value === "auto" ? resumed?.description.engine.name : undefined;
  return {
    ...workerRange,
    engine: before ?? engine.value,
    threads: threads.value,
    precision: step.precision.value,
  };
}

/** How much room the model of a run will take at the least, in its two formats. Pure. */
function modelBytes({ spec }: TrainingRun): number {
  return 2 * Float32Array.BYTES_PER_ELEMENT * arenaLayout(parametersOf(spec.model)).parameterCount;
}

/** Turns a job of the store into a run, and trains it. */
export class JobTrainer {
  readonly #options: JobTrainerOptions;
  readonly #folders: ServiceFolders;

  constructor(options: JobTrainerOptions) {
    this.#options = options;
    this.#folders = new ServiceFolders(options.dataDirectory, options.options["data-dir"]);
  }

  /** Where a job's runs write. */
  outputOf(id: JobId): string {
    return this.#folders.outputOf(id);
  }

  /** What paths begin with that only this server knows. */
  get ownPath(): string {
    return this.#folders.ownPath;
  }

  /** Where prepared rows are kept. */
  get cacheDirectory(): string {
    return this.#folders.rows;
  }

  /** @throws RingstrasseError with whatever stands in the way first; the signal's reason */
  async train(attempt: Attempt): Promise<AttemptResult> {
    const { id, signal, emit, setAside, taken, onStop } = attempt;
    const { documents, ground, options, checkpoints } = this.#options;
    const warn = (message: string) => emit({ event: "warning", message: message.replaceAll(this.ownPath, "") });
    const job = await documents.trainable(id);
    job.definition.warnings.forEach(warn);
    if (job.remark !== null) warn(job.remark);
    await using hold = new RowsHold();
    const { prepared, data } = await this.#prepareRows(job, attempt, hold);
    prepared.warnings.forEach(warn);
    await using saved = await checkpoints.open(id, warn);
    const shownOut = this.#folders.shownOutputOf(id);
    const place = { jobId: id, prepared, document: id, data, out: this.outputOf(id), shownOut };
    const transport = options.transport === "ipc" ? "ipc" : "tcp";
    signal.throwIfAborted();
    const wanted = workersWanted(job.settings, saved);
    const workers = setAside(wanted);
    if (workers === 0) return await this.#short(id, wanted);
    const run = await this.#plan(job, { ...place, workers, transport, engine: null, resumed: saved }, warn);
    this.#options.files.requireRoom("the trained model", modelBytes(run));
    await this.#record(run, prepared);
    signal.throwIfAborted();
    const need = engineNeedOf(run.spec);
    if (setAside({ min: workers, max: workers, ...need }) === 0)
      return await this.#short(id, { ...wanted, engine: need.engine });
    const training = ground.train(run, { emit, signal, onStop });
    taken();
    const trained = await training;
    return trained === null ? await this.#short(id, wanted) : { kind: "trained", run, trained };
  }

  /** From here on the queue asks for what the run found that it needs: it starts the job no sooner. */
  async #short(id: JobId, wanted: WorkersWanted): Promise<AttemptResult> {
    await this.#options.store.recordRun(id, { workersWanted: wanted });
    return { kind: "short" };
  }

  async #prepareRows(
    job: ReadJob,
    { id, signal }: Attempt,
    hold: RowsHold,
  ): Promise<{ readonly prepared: PreparedDataset; readonly data: string }> {
    const { files } = this.#options;
    const found = await findJobFiles(job, files);
    const folder = join(this.#folders.lent, id);
    const place = { cacheDirectory: this.cacheDirectory, hold, maxUnpackedBytes: files.maxFileBytes, signal };
    const prepared = await lendJobFiles(found, { files, folder }, (lent) => prepareRows(job, { ...lent, ...place }));
    return { prepared, data: found.data.name };
  }

  /** The run goes on where the last one was, unless document, data or options are others now: that is said, and it begins anew. */
  async #plan(job: ReadJob, wanted: RunToPlan, warn: (message: string) => void): Promise<TrainingRun> {
    const { resumed } = wanted;
    if (!resumed) return await planRun(job, wanted);
    // With another one the result could have other bits.
    const engine = { engine: resumed.description.engine.name, reason: "the checkpoint's" };
    try {
      return await planRun(job, job.settings.engine.value === "auto" ? { ...wanted, engine } : wanted);
    } catch (thrown) {
      const failure = toFailure(thrown);
      if (failure.code !== "RESUME_MISMATCH") throw thrown;
      const { what, expected, got } = failure;
      warn(
        `the job has changed since its last run (${what} was ${expected}, and is ${got}): it begins at its beginning`,
      );
      await this.#options.checkpoints.forget(wanted.jobId);
      // Another job, in effect: how far the last one came says nothing of it.
      await this.#options.store.recordRun(wanted.jobId, { interruptions: NO_INTERRUPTIONS });
      return await planRun(job, { ...wanted, resumed: null });
    }
  }

  /** Before the run is told of, so that whoever hears of it finds the curves that it goes on with. */
  async #record(run: TrainingRun, { testRowsSha256 }: PreparedDataset): Promise<void> {
    const { store, now } = this.#options;
    const { jobId, replicas } = run.spec;
    const facts = { workers: run.policy.workers, replicas, outputDirectory: run.output.path, testRowsSha256 };
    const { position, history } = run.resumed?.description ?? { position: BEGINNING, history: [] };
    const after = { epoch: position.epoch - (position.progress === null ? 0 : 1), step: position.step };
    // Asked for at once, all of it shares one transaction, so that a crash keeps all or none. A server that was killed may have lost
    // the last epochs before the checkpoint.
    await Promise.all([
      store.recordRun(jobId, facts),
      store.forgetMetrics(jobId, after),
      store.addMetrics(jobId, metricRows(history, now())),
    ]);
  }
}
