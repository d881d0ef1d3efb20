import { createReadStream } from "node:fs";
import { open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { RunReport } from "../../shared/api/run-report.js";
import { createDirectory } from "../../shared/create-directory.js";
import { replaceFile, syncDirectory, unfinishedSibling } from "../../shared/durable-file.js";
import { isSystemError, writeFailure } from "../../shared/write-failure.js";
import type { Delivery, OutgoingModelFile, OutgoingReport, ReportChannel } from "./report-channel.js";
import { contentName, encodeReport, readSpoolName, reportName } from "./spool-format.js";

export interface SpoolReportChannelOptions {
  /** The job's own; created when it is not there. One run writes to it at a time. */
  readonly directory: string;
  /** So many files may wait for the server before batches of events are written more rarely. */
  readonly maxWaiting: number;
  /** How rarely then: one per so many milliseconds. */
  readonly heldBackMs: number;
}

/**
 * Reports through files on a shared file system (see `spool-format.ts`). A report is delivered when its file is on the device: the
 * server may be away for as long as it likes.
 */
export class SpoolReportChannel implements ReportChannel {
  readonly target: string;
  readonly #options: SpoolReportChannelOptions;
  readonly #hurried = new AbortController();
  #lastNumber: number | null = null;

  constructor(options: SpoolReportChannelOptions) {
    this.#options = options;
    this.target = options.directory;
  }

  async deliver(report: OutgoingReport, signal: AbortSignal): Promise<Delivery> {
    try {
      await createDirectory(this.#options.directory);
      const number = await this.#nextNumber();
      if (report.kind === "events") await this.#spare(signal);
      if (signal.aborted) return { kind: "failed", problem: "the time to report was over" };
      await this.#write(number, report.kind === "modelFile" ? await this.#content(number, report) : report);
      this.#lastNumber = number;
      return { kind: "delivered" };
    } catch (thrown) {
      return brokenDelivery(thrown, report);
    }
  }

  hurry(): void {
    this.#hurried.abort();
  }

  async #write(number: number, report: RunReport): Promise<void> {
    await replaceFile(join(this.#options.directory, reportName(number)), encodeReport(report));
  }

  /** Puts the content where its report, which comes next, says that it is. */
  async #content(number: number, { name, path }: OutgoingModelFile): Promise<RunReport> {
    const { directory } = this.#options;
    const place = join(directory, contentName(number));
    const unfinished = unfinishedSibling(place);
    let sizeBytes = 0;
    try {
      await using file = await open(unfinished, "wx");
      for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) {
        await file.writeFile(piece);
        sizeBytes += piece.byteLength;
      }
      await file.sync();
    } catch (cause) {
      await rm(unfinished, { force: true });
      throw cause;
    }
    await rename(unfinished, place);
    await syncDirectory(directory);
    return { kind: "modelFile", name, sizeBytes };
  }

  /** Numbers go on where an earlier run has left reports that still wait. */
  async #nextNumber(): Promise<number> {
    this.#lastNumber ??= (await this.#waiting()).reduce((last, number) => Math.max(last, number), 0);
    return this.#lastNumber + 1;
  }

  /** While the server does not keep up, events gather (and are thinned) in memory rather than in ever more files. */
  async #spare(signal: AbortSignal): Promise<void> {
    const { maxWaiting, heldBackMs } = this.#options;
    if (this.#hurried.signal.aborted || (await this.#waiting()).length < maxWaiting) return;
    const either = AbortSignal.any([signal, this.#hurried.signal]);
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        either.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, heldBackMs);
      either.addEventListener("abort", end);
      if (either.aborted) end();
    });
  }

  async #waiting(): Promise<number[]> {
    const names = (await readdir(this.#options.directory)).map(readSpoolName);
    return names.flatMap((name) => ("number" in name ? [name.number] : []));
  }
}

function brokenDelivery(thrown: unknown, report: OutgoingReport): Delivery {
  if (isSystemError(thrown) && report.kind === "modelFile" && "path" in thrown && thrown.path === report.path) {
    const problem = `the file ${report.path} can't be read (${thrown.message})`;
    return { kind: "refused", scope: "report", problem, remedy: "Look whether the run's output directory is whole" };
  }
  if (!isSystemError(thrown)) throw thrown;
  const failure = writeFailure("the spool directory", thrown);
  return { kind: "failed", problem: failure instanceof Error ? failure.message : thrown.message };
}
