import { readFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { RingstrasseError, toFailure } from "../../shared/failure.js";
import { filePieces } from "../../shared/file-pieces.js";
import { type JobId, JobIdSchema } from "../../shared/ids.js";
import type { Logger } from "../../shared/logger.js";
import { MODEL_FILES } from "../../shared/model-file/model-facts.js";
import { documentsOfRun } from "../job/documents-of-run.js";
import type { TrainingRun } from "../job/training-run.js";
import { RunResultSchema } from "../output/write-result.js";
import type { FileStore } from "../store/file-store.js";
import type { JobStore, RunOutcome } from "../store/job-store.js";
import { FileIdSchema } from "../store/object-id.js";
import type { StoredFile } from "../store/stored-file.js";
import { documentFileName, documentXml, type ResultDocument } from "../vinnsl/results/result-documents.js";
import type { ModelFileReport } from "./job-service.js";
import type { TrainedRun } from "./training-ground.js";

const CONTENT_TYPES: Readonly<Record<string, string>> = { ".json": "application/json", ".xml": "application/xml" };

export interface PublishedRun {
  readonly outcome: RunOutcome;
  readonly documents: readonly ResultDocument[];
}

/** What runs leave in the file store: the model under its own names, result and documents under the job's. */
export class RunResults {
  readonly #files: FileStore;
  readonly #log: Logger;

  constructor(files: FileStore, log: Logger) {
    this.#files = files;
    this.#log = log;
  }

  /**
   * Stores what a finished run has written into its output directory, and its documents. When it fails, nothing of it is left.
   * @throws RingstrasseError QUOTA_EXCEEDED, OUTPUT_UNWRITABLE, STORE_UNAVAILABLE
   */
  async publish(run: TrainingRun, { finished, weights }: TrainedRun): Promise<PublishedRun> {
    const { jobId } = run.spec;
    const stored: StoredFile[] = [];
    const keep = async (content: AsyncIterable<Uint8Array>, name: string) => {
      const file = await this.#files.add(content, { name, contentType: contentTypeOf(name), owner: jobId });
      stored.push(file);
      return file.id;
    };
    try {
      const { history } = RunResultSchema.parse(JSON.parse(await readFile(run.output.resultFile, "utf8")));
      const resultFile = await keep(filePieces(run.output.resultFile), `${jobId}-${basename(run.output.resultFile)}`);
      const modelFiles = new Map<string, string>();
      for (const name of Object.values(MODEL_FILES)) {
        modelFiles.set(name, await keep(filePieces(join(run.output.modelDir, name)), name));
      }
      const weightsFile = modelFiles.get(MODEL_FILES.weights) ?? null;
      const ended = { finished, history, weights, finishedAt: new Date() };
      const documents = documentsOfRun(run, ended, { resultFile, weightsFile });
      for (const document of documents) {
        await keep(once(documentXml(document)), `${jobId}-${documentFileName(document.part)}`);
      }
      return { outcome: { result: finished, modelFileIds: stored.map(({ id }) => id) }, documents };
    } catch (thrown) {
      await this.forget(stored.map(({ id }) => id));
      throw thrown;
    }
  }

  /** A file of the model that a run elsewhere sends. */
  async keepModelFile(id: JobId, { name, content, sizeBytes }: ModelFileReport): Promise<StoredFile> {
    return await this.#files.add(content, { name, contentType: contentTypeOf(name), owner: id, sizeBytes });
  }

  /**
   * Removes files of jobs that no job speaks of: what a server that was killed had stored of a run, but not yet recorded. To be called
   * while nothing stores any. Cost: one look at each job that has files. @returns how many there were
   */
  async removeUnrecorded(jobs: Pick<JobStore, "summary">): Promise<number> {
    let count = 0;
    for (const [owner, ids] of await this.#files.owned()) {
      const recorded = await recordedFiles(JobIdSchema.parse(owner), jobs);
      const lost = ids.filter((id) => !recorded.includes(id));
      await this.forget(lost);
      count += lost.length;
    }
    return count;
  }

  /** The files of an outcome that are still there. */
  async filesOf({ modelFileIds }: Pick<RunOutcome, "modelFileIds">): Promise<StoredFile[]> {
    const found = await Promise.all(modelFileIds.map((id) => this.#get(id)));
    return found.filter((file) => file !== null);
  }

  /** The model's files alone, the latest of each name. */
  async modelFilesOf(id: JobId, outcome: Pick<RunOutcome, "modelFileIds">): Promise<ReadonlyMap<string, string>> {
    const files = await this.filesOf(outcome);
    return new Map(files.filter(({ name }) => !name.startsWith(`${id}-`)).map((file) => [file.name, file.id]));
  }

  /** Deletes files; that some are gone already is no matter, what can't be deleted is told to the log. */
  async forget(ids: readonly string[]): Promise<void> {
    for (const text of ids) {
      try {
        await this.#files.delete(FileIdSchema.parse(text));
      } catch (thrown) {
        if (toFailure(thrown).code !== "NOT_FOUND") this.#log.error({ err: thrown, file: text }, "file not deleted");
      }
    }
  }

  async #get(text: string): Promise<StoredFile | null> {
    try {
      return await this.#files.get(FileIdSchema.parse(text));
    } catch (thrown) {
      if (thrown instanceof RingstrasseError && thrown.failure.code === "NOT_FOUND") return null;
      throw thrown;
    }
  }
}

async function recordedFiles(id: JobId, jobs: Pick<JobStore, "summary">): Promise<readonly string[]> {
  try {
    return (await jobs.summary(id)).run.modelFileIds;
  } catch (thrown) {
    if (thrown instanceof RingstrasseError && thrown.failure.code === "NOT_FOUND") return [];
    throw thrown;
  }
}

function contentTypeOf(name: string): string {
  return CONTENT_TYPES[extname(name)] ?? "application/octet-stream";
}

async function* once(text: string): AsyncGenerator<Uint8Array, void, void> {
  yield await Promise.resolve(Buffer.from(text, "utf8"));
}
