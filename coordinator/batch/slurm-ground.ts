import { constants, copyFile, open, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { ClusterWorker } from "../../shared/api/cluster.js";
import { createDirectory } from "../../shared/create-directory.js";
import type { JobId } from "../../shared/ids.js";
import { isSystemError, writeFailure } from "../../shared/write-failure.js";
import type { SubmitOptions } from "../cli/submit-options.js";
import { trainingDocument } from "../service/check-object.js";
import { fittingOptions } from "../service/fitting-options.js";
import { linkName } from "../service/lend-files.js";
import type { Capacity } from "../service/training-ground.js";
import type { FileStore } from "../store/file-store.js";
import type { StoredFile } from "../store/stored-file.js";
import type { BatchRequest } from "../submit/batch-request.js";
import { renderBatchScript } from "../submit/batch-script.js";
import { checkRequest } from "../submit/check-request.js";
import { BATCH_CHECKPOINT_MINUTES } from "../submit/checkpoints-of.js";
import { shellWord } from "../submit/shell-word.js";
import type { SlurmCommands } from "../submit/slurm-commands.js";
import type { SlurmNode } from "../submit/slurm-nodes.js";
import { trainArguments } from "../submit/train-arguments.js";
import type { BatchGround, BatchJobName, BatchJobToWrite } from "./batch-ground.js";
import { batchRanks } from "./batch-ranks.js";
import { type NotNow, notNow } from "./batch-scheduler.js";
import { newestUnfinishedRun } from "./newest-unfinished-run.js";
import { SlurmScheduler } from "./slurm-scheduler.js";

export interface SlurmGroundOptions {
  readonly slurm: SlurmCommands;
  /** As they were when the service started, which had checked then whether they can give what `request` asks for. */
  readonly nodes: readonly SlurmNode[];
  /** Absolute; on a file system that all nodes share. `jobs/` and `rows/` below it are the ground's. */
  readonly folder: string;
  /** What each batch job asks for; nodes and tasks at most, and cores as each job's threads need them when null. */
  readonly request: Omit<BatchRequest, "jobName" | "cpusPerTask"> & { readonly cpusPerTask: number | null };
  /** Passed on to `ringstrasse train`. */
  readonly options: SubmitOptions;
  /** The compiled `ringstrasse` command, and the Node.js that runs it: the nodes use the same. */
  readonly entry: string;
  readonly execPath: string;
}

/** What of a job's script is the job's alone. Paths as the nodes see them. */
interface ScriptParts {
  readonly options: SubmitOptions;
  readonly document: string;
  readonly data: string;
  readonly labels: string | null;
  readonly rows: string;
}

/** Jobs wait at the batch system: there is always room. */
const ROOM: Capacity = { present: Number.MAX_SAFE_INTEGER, idle: Number.MAX_SAFE_INTEGER };
/** Enough for a message, however much a run says. */
const LOG_END_BYTES = 64 * 1024;

/**
 * Jobs as batch jobs of Slurm. Each has a folder of its own, `jobs/ID/KEY/`: document and data as the nodes read them, the script, what it
 * says (`slurm-NUMBER.out`), the run's output directory (`run/`) and its reports (`reports/ID/`). Who may read it is the file system's to say.
 */
export class SlurmGround implements BatchGround {
  readonly scheduler: SlurmScheduler;
  readonly #options: SlurmGroundOptions;

  constructor(options: SlurmGroundOptions) {
    this.#options = options;
    this.scheduler = new SlurmScheduler(options.slurm);
  }

  capacity(): Capacity {
    return ROOM;
  }

  workers(): readonly ClusterWorker[] {
    return [];
  }

  onCapacityChanged(): void {
    // It never does.
  }

  async write({ name, job, found, files }: BatchJobToWrite, signal: AbortSignal): ReturnType<BatchGround["write"]> {
    const { folder: shared } = this.#options;
    const request = this.#requestOf(name, job.settings);
    const wait = await this.#waitFor(request, signal);
    if (wait !== null) return wait;
    const folder = this.#folderOf(name);
    const [document, script, rows] = [join(folder, "document.xml"), join(folder, "train.sbatch"), join(shared, "rows")];
    try {
      for (const each of [join(folder, "run"), rows]) await createDirectory(each);
      await writeFile(document, trainingDocument(job.object), { mode: 0o600 });
    } catch (cause) {
      throw writeFailure(folder, cause);
    }
    const data = await this.#copy(found.data, files, join(folder, "data"));
    const labels = found.labels === null ? null : await this.#copy(found.labels, files, join(folder, "labels"));
    const { options } = fittingOptions(
      this.#options.options,
      job.settings.step.strategy.value,
      BATCH_CHECKPOINT_MINUTES,
    );
    const text = this.#scriptOf(name, request, { options, document, data, labels, rows });
    try {
      await writeFile(script, text, { mode: 0o700 });
      return { kind: "written", script, leftBehind: await this.#leftBehind(name) };
    } catch (cause) {
      throw writeFailure(script, cause);
    }
  }

  async #leftBehind({ id, key }: BatchJobName): Promise<string | null> {
    const keys = (await namesIn(join(this.#options.folder, "jobs", id))).filter((each) => each !== key);
    return await newestUnfinishedRun(keys.map((each) => join(this.#folderOf({ id, key: each }), "run")));
  }

  nameOf({ id, key }: BatchJobName): string {
    return `ringstrasse-${id}-${key}`;
  }

  reportsOf(name: BatchJobName): string {
    return join(this.#folderOf(name), "reports", name.id);
  }

  async logOf(name: BatchJobName, batchJob: string): Promise<{ readonly path: string; readonly text: string } | null> {
    const path = join(this.#folderOf(name), `slurm-${batchJob}.out`);
    try {
      await using file = await open(path);
      const { size } = await file.stat();
      const from = Math.max(0, size - LOG_END_BYTES);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
      return { path, text: buffer.subarray(0, bytesRead).toString("utf8") };
    } catch (cause) {
      if (isSystemError(cause)) return null;
      throw cause;
    }
  }

  async startedJobOf(name: BatchJobName): Promise<string | null> {
    const names = await namesIn(this.#folderOf(name));
    const numbers = names.flatMap((each) => /^slurm-(\d+)\.out$/.exec(each)?.[1] ?? []);
    return numbers.sort((one, other) => Number(one) - Number(other)).at(-1) ?? null;
  }

  async tidy(name: BatchJobName): Promise<void> {
    const folder = this.#folderOf(name);
    for (const each of ["data", "labels", "reports"]) await rm(join(folder, each), { recursive: true, force: true });
  }

  async forget(id: JobId): Promise<void> {
    await rm(join(this.#options.folder, "jobs", id), { recursive: true, force: true });
  }

  /**
   * Null: the cluster can give what the job asks for. What it could give when the service started it will give again: a partition is down for
   * maintenance, say, or nodes are away. @throws RingstrasseError BATCH_REFUSED: it could not then either
   */
  async #waitFor(request: BatchRequest, signal: AbortSignal): Promise<NotNow | null> {
    const { slurm, nodes } = this.#options;
    try {
      checkRequest(request, await slurm.nodes(signal));
      return null;
    } catch (thrown) {
      const later = notNow(thrown);
      checkRequest(request, nodes);
      return later;
    }
  }

  #folderOf({ id, key }: BatchJobName): string {
    return join(this.#options.folder, "jobs", id, key);
  }

  #requestOf(name: BatchJobName, { workerRange, threads }: BatchJobToWrite["job"]["settings"]): BatchRequest {
    const { request } = this.#options;
    const ranks = batchRanks(workerRange, request);
    return {
      ...request,
      ...ranks,
      jobName: this.nameOf(name),
      cpusPerTask: request.cpusPerTask ?? threads.value,
      gpusPerNode: request.gpusPerNode === 0 ? 0 : ranks.tasksPerNode,
    };
  }

  #scriptOf(name: BatchJobName, request: BatchRequest, { options, document, data, labels, rows }: ScriptParts): string {
    const { execPath, entry } = this.#options;
    const folder = this.#folderOf(name);
    const out = join(folder, "run");
    const passed = { ...options, json: true, data, "data-dir": rows, out, ...(labels === null ? {} : { labels }) };
    const reports = `--report-to=${pathToFileURL(this.reportsOf(name)).href}`;
    return renderBatchScript({
      request,
      about: [`Written by ringstrasse serve, for its job ${name.id}.`],
      output: join(folder, "slurm-%j.out"),
      command: [execPath, entry].map(shellWord).join(" "),
      trainArguments: [document, ...trainArguments(passed, folder), reports].map(shellWord).join(" "),
      resume: null,
      out,
      files: [execPath, entry, document, data, ...(labels === null ? [] : [labels])],
      folders: [folder, rows],
    });
  }

  /** The nodes don't see the store; under its own name, since names say what is labels of what. */
  async #copy(file: StoredFile, files: FileStore, folder: string): Promise<string> {
    const content = await files.pathOf(file);
    const path = join(folder, linkName(file.name));
    try {
      await createDirectory(folder);
      await copyFile(content, path, constants.COPYFILE_FICLONE);
    } catch (cause) {
      throw writeFailure(path, cause);
    }
    return path;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    if (isSystemError(cause) && cause.code === "ENOENT") return [];
    throw cause;
  }
}
