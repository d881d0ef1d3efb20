import { join } from "node:path";
import type { JobId } from "../../shared/ids.js";
import type { TrainEvent } from "../../shared/train-events.js";
import type { TrainOptions } from "../cli/train-options.js";
import { planRun, prepareRows } from "../job/plan-run.js";
import type { TrainingRun } from "../job/training-run.js";
import type { FileStore } from "../store/file-store.js";
import type { JobStore } from "../store/job-store.js";
import type { JobDocuments } from "./job-documents.js";
import { findJobFiles, lendJobFiles } from "./job-files.js";
import { ServiceFolders } from "./service-folders.js";
import type { TrainedRun, TrainingGround } from "./training-ground.js";

export interface JobTrainerOptions {
  readonly store: JobStore;
  readonly files: FileStore;
  readonly documents: JobDocuments;
  readonly ground: TrainingGround;
  /** `runs/`, `rows/` and `lent/` below it are the trainer's. */
  readonly dataDirectory: string;
  readonly options: TrainOptions;
}

/** One attempt at a job, as its keeper sees it. */
export interface Attempt {
  readonly id: JobId;
  readonly signal: AbortSignal;
  readonly emit: (event: TrainEvent) => void;
  /** Sets idle workers aside for the attempt, in the place of those set aside before: as many as there are, 0 when fewer than `min`. */
  readonly setAside: (min: number, max: number) => number;
  /** Told when the training ground has taken the workers. */
  readonly taken: () => void;
}

export type AttemptResult =
  | { readonly kind: "trained"; readonly run: TrainingRun; readonly trained: TrainedRun }
  /** The workers that were idle when it began are so no more. */
  | { readonly kind: "short" };

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

  /** What stored files are lent by; may be removed when no run is going on. */
  get lentDirectory(): string {
    return this.#folders.lent;
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
  async train({ id, signal, emit, setAside, taken }: Attempt): Promise<AttemptResult> {
    const { store, files, documents, ground, options } = this.#options;
    const warn = (message: string) => emit({ event: "warning", message: message.replaceAll(this.ownPath, "") });
    const job = await documents.trainable(id);
    job.definition.warnings.forEach(warn);
    const found = await findJobFiles(job, files);
    const folder = join(this.lentDirectory, id);
    const prepared = await lendJobFiles(found, { files, folder }, (lent) =>
      prepareRows(job, { ...lent, cacheDirectory: this.cacheDirectory, signal }),
    );
    prepared.warnings.forEach(warn);
    const place = {
      jobId: id,
      prepared,
      document: id,
      data: found.data.name,
      out: this.outputOf(id),
      shownOut: this.#folders.shownOutputOf(id),
    };
    const transport = options.transport === "ipc" ? "ipc" : "tcp";
    signal.throwIfAborted();
    const { min, max } = job.settings.workerRange;
    const workers = setAside(min, max);
    if (workers === 0) return { kind: "short" };
    const run = await planRun(job, { ...place, workers, transport, engine: null });
    const { replicas } = run.spec;
    const { testRowsSha256 } = prepared;
    await store.recordRun(id, { workers, replicas, outputDirectory: run.output.path, testRowsSha256 });
    signal.throwIfAborted();
    if (setAside(workers, workers) === 0) return { kind: "short" };
    const training = ground.train(run, { emit, signal });
    taken();
    return { kind: "trained", run, trained: await training };
  }
}
