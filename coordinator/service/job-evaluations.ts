import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Evaluation } from "../../shared/api/evaluation.js";
import { labelsCandidates } from "../../shared/data/labelled-images.js";
import { RingstrasseError, toFailure } from "../../shared/failure.js";
import type { JobId } from "../../shared/ids.js";
import { MODEL_FILES } from "../../shared/model-file/model-facts.js";
import { writeFailure } from "../../shared/write-failure.js";
import { RowsHold } from "../data/rows-hold.js";
import { prepareRows } from "../job/plan-run.js";
import type { FileStore } from "../store/file-store.js";
import type { JobSummary } from "../store/job-record.js";
import type { JobStore } from "../store/job-store.js";
import { FileIdSchema } from "../store/object-id.js";
import { fileNotFound } from "../store/store-failure.js";
import type { StoredFile } from "../store/stored-file.js";
import { EVALUATION_LIMIT_MS, evaluationTimeout } from "./evaluation-limit.js";
import type { JobDocuments } from "./job-documents.js";
import { findJobFiles, lendJobFiles } from "./job-files.js";
import { lendFiles, withoutPaths } from "./lend-files.js";
import type { JudgeRequest, ModelJudge } from "./model-judge.js";
import type { RunResults } from "./run-results.js";

export interface JobEvaluationsOptions {
  readonly store: JobStore;
  readonly files: FileStore;
  readonly documents: JobDocuments;
  readonly results: RunResults;
  readonly judge: ModelJudge;
  /** Where prepared rows are kept. */
  readonly cacheDirectory: string;
  /** What stored files are lent by. */
  readonly lentDirectory: string;
}

/** Stored files that speak of other rows than the job's own. */
export interface RowsToJudgeBy {
  /** Absent: the job's own held-out rows. */
  readonly fileId?: string;
  /** Labels of IDX images; absent: the latest file of MNIST's name for them. */
  readonly labelsFileId?: string;
}

/** Judges the models of jobs that have finished. */
export class JobEvaluations {
  readonly #options: JobEvaluationsOptions;

  constructor(options: JobEvaluationsOptions) {
    this.#options = options;
  }

  /** As `JobService.evaluate`: all of it, the rows' preparing too, within {@link EVALUATION_LIMIT_MS}. */
  async evaluate(id: JobId, rows: RowsToJudgeBy, signal: AbortSignal): Promise<Evaluation> {
    const deadline = new AbortController();
    const end = (): void => deadline.abort(evaluationTimeout(EVALUATION_LIMIT_MS));
    const timer = setTimeout(end, EVALUATION_LIMIT_MS);
    try {
      return await this.#evaluate(id, rows, AbortSignal.any([signal, deadline.signal]));
    } finally {
      clearTimeout(timer);
    }
  }

  async #evaluate(id: JobId, rows: RowsToJudgeBy, signal: AbortSignal): Promise<Evaluation> {
    const job = await this.#options.store.summary(id);
    const model = await this.#modelOf(job);
    if (rows.fileId !== undefined) return await this.#byFile(model, rows.fileId, rows.labelsFileId, signal);
    if (rows.labelsFileId === undefined) return await this.#byOwnRows(job, model, signal);
    throw notGiven("labelsFileId names the labels of images, and there are none", "Give the images as fileId");
  }

  async #byFile(
    model: readonly StoredFile[],
    fileId: string,
    labelsFileId: string | undefined,
    signal: AbortSignal,
  ): Promise<Evaluation> {
    const data = await this.#file(fileId);
    const labels = labelsFileId === undefined ? await this.#labelsFor(data) : await this.#file(labelsFileId);
    const shelves = { model, data: [data], labels: labels === null ? [] : [labels] };
    const place = { files: this.#options.files, folder: this.#newFolder() };
    return await lendFiles(
      shelves,
      place,
      ({ model: [path = ""], data: [dataPath = ""], labels: [labelsPath = null] }) =>
        this.#judge({ modelDirectory: join(path, ".."), rows: { kind: "data", dataPath, labelsPath } }, signal),
    );
  }

  /** The rows are prepared as they were for the run, and must be the same, byte for byte. */
  async #byOwnRows({ id, run }: JobSummary, model: readonly StoredFile[], signal: AbortSignal): Promise<Evaluation> {
    if (run.testRowsSha256 === null) throw notGiven("of the job's own rows this server has held out none");
    const { files, documents, cacheDirectory } = this.#options;
    const job = await documents.trainable(id);
    const found = await findJobFiles(job, files);
    const place = { files, folder: this.#newFolder() };
    await using hold = new RowsHold();
    const { dataset, testRowsSha256 } = await lendJobFiles(found, place, (lent) =>
      prepareRows(job, { ...lent, cacheDirectory, hold, maxUnpackedBytes: files.maxFileBytes, signal }),
    );
    const { test } = dataset;
    if (test === null || testRowsSha256 !== run.testRowsSha256) {
      throw notGiven("its document or its data are others now than when it was trained, and so are the rows held out");
    }
    const folder = this.#newFolder();
    try {
      return await lendFiles({ model }, { files, folder }, async ({ model: [path = ""] }) => {
        const rowFile = join(folder, "held-out-rows.json");
        await writeFile(rowFile, JSON.stringify(test)).catch((cause: unknown) => {
          throw writeFailure(folder, cause);
        });
        return await this.#judge({ modelDirectory: join(path, ".."), rows: { kind: "prepared", rowFile } }, signal);
      });
    } catch (thrown) {
      const failure = toFailure(thrown);
      if (failure.code === "INTERNAL") throw thrown;
      throw new RingstrasseError(withoutPaths(failure, [join(folder, "/"), join(cacheDirectory, "/")]), {
        cause: thrown,
      });
    }
  }

  /** What is wrong in the words of those who gave ids and no paths. */
  async #judge(request: JudgeRequest, signal: AbortSignal): Promise<Evaluation> {
    try {
      return await this.#options.judge.judge(request, signal);
    } catch (thrown) {
      const failure = toFailure(thrown);
      if (!("remedy" in failure)) throw thrown;
      const said = (text: string) =>
        text.replaceAll(/--labels( PATH)?/g, "labelsFileId").replaceAll("--data", "fileId");
      const option = "option" in failure && failure.option !== null ? { option: said(failure.option) } : {};
      throw new RingstrasseError({ ...failure, ...option, remedy: said(failure.remedy) }, { cause: thrown });
    }
  }

  /** @throws RingstrasseError CONFLICT when there is none */
  async #modelOf({ id, status, run }: JobSummary): Promise<readonly StoredFile[]> {
    if (status !== "FINISHED") {
      throw noModel(id, "it has not been trained to its end", `It is ${status}: evaluate it when it is FINISHED`);
    }
    const ids = await this.#options.results.modelFilesOf(id, run);
    const wanted = [MODEL_FILES.topology, MODEL_FILES.weights].flatMap((name) => ids.get(name) ?? []);
    const missing = "the files of its model are not here";
    if (wanted.length < 2) throw noModel(id, missing, "Train it again: POST /vinnsl/{id}/retrain");
    return await Promise.all(wanted.map((file) => this.#file(file)));
  }

  async #file(text: string): Promise<StoredFile> {
    const id = FileIdSchema.safeParse(text);
    if (!id.success) throw fileNotFound(text.slice(0, 100));
    return await this.#options.files.get(id.data);
  }

  async #labelsFor({ name }: StoredFile): Promise<StoredFile | null> {
    for (const candidate of labelsCandidates(name)) {
      const labels = await this.#options.files.latest(candidate);
      if (labels !== null) return labels;
    }
    return null;
  }

  #newFolder(): string {
    return join(this.#options.lentDirectory, `evaluate-${randomBytes(8).toString("hex")}`);
  }
}

function notGiven(
  problem: string,
  remedy = "Give rows with their labels: upload them by POST /storage/upload, and name the id that comes back",
): RingstrasseError {
  return new RingstrasseError({ code: "USAGE", option: "fileId", problem, remedy });
}

function noModel(id: JobId, problem: string, remedy: string): RingstrasseError {
  return new RingstrasseError({ code: "CONFLICT", what: "job", id, problem, remedy });
}
