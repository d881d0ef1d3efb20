import { readdir, readFile, rename, rm, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ModelFileReport, RunReport } from "../../shared/api/run-report.js";
import { describeFailure } from "../../shared/describe-failure.js";
import { type FailureCode, RingstrasseError } from "../../shared/failure.js";
import { filePieces } from "../../shared/file-pieces.js";
import type { JobId } from "../../shared/ids.js";
import { unreachable } from "../../shared/unreachable.js";
import { isSystemError } from "../../shared/write-failure.js";
import type { ReportIntake } from "./report-intake.js";
import { contentName, decodeReport, readSpoolName, refusedName, reportName } from "./spool-format.js";

export interface SpoolNote {
  readonly path: string;
  /** Why it was not taken in. */
  readonly problem: string;
  /** `server`: it is as it should be, and is taken in, with all that follows it, as soon as the server can. */
  readonly fault?: "server";
}

export interface SpoolDirectoryOptions {
  readonly path: string;
  readonly id: JobId;
  readonly intake: ReportIntake;
}

type Taken =
  | { readonly kind: "taken"; readonly last: boolean }
  /** Later, and what follows it too. */
  | { readonly kind: "waits"; readonly problem: string; readonly fault?: "server" }
  | { readonly kind: "refused"; readonly problem: string };

/** Failures of the server, not of the report: another attempt may do. */
const PASSING: readonly FailureCode[] = [
  "STORE_UNAVAILABLE",
  "STORE_DAMAGED",
  "OUTPUT_UNWRITABLE",
  "QUOTA_EXCEEDED",
  "INTERNAL",
];

/** Looks that a report which the server can't take in is left alone for, at most: each try may write all of a model to a full disk. */
const MOST_LOOKS_OFF = 64;

/** A report that is not tried again at once, since the server could not take it in. */
interface PutOff {
  readonly number: number;
  readonly problem: string;
  /** Left alone for so many looks after the last try; twice as many after the next. */
  readonly looksOff: number;
  looksLeft: number;
}

/** One job's spool, as the server sees it, look after look. One call of {@link takeIn} at a time. */
export class SpoolDirectory {
  readonly #options: SpoolDirectoryOptions;
  #putOff: PutOff | null = null;

  constructor(options: SpoolDirectoryOptions) {
    this.#options = options;
  }

  /**
   * Takes in what is there, in order, until one report has to wait. Reports that are refused for good are set aside, so that the others
   * can go on. @returns what stays, and why
   */
  async takeIn(signal: AbortSignal): Promise<SpoolNote[]> {
    const { numbers, notes } = await this.#list();
    let ended = false;
    for (const number of numbers) {
      if (signal.aborted) return notes;
      const path = join(this.#options.path, reportName(number));
      const taken = await this.#takeUnlessPutOff(number);
      if (taken.kind === "waits") {
        const { kind: _, ...why } = taken;
        notes.push({ path, ...why });
        return notes;
      }
      if (taken.kind === "refused") {
        await this.#setAside(number);
        notes.push({ path: refusedName(path), problem: taken.problem });
        continue;
      }
      await this.#remove(number);
      ended = taken.last;
    }
    if (ended && notes.length === 0) await this.#removeDirectory();
    return notes;
  }

  async #list(): Promise<{ numbers: number[]; notes: SpoolNote[] }> {
    const notes: SpoolNote[] = [];
    const numbers: number[] = [];
    const contents: number[] = [];
    for (const name of await namesIn(this.#options.path)) {
      const found = readSpoolName(name);
      if (found.kind === "report") numbers.push(found.number);
      if (found.kind === "content") contents.push(found.number);
      if (found.kind === "foreign") {
        const problem = "it bears no name that a report has, and stays untouched";
        notes.push({ path: join(this.#options.path, name), problem });
      }
      if (found.kind === "ignored" && name.endsWith(".refused")) {
        notes.push({ path: join(this.#options.path, name), problem: "it was refused. Remove it when it is of no use" });
      }
    }
    await this.#removeLeftovers(contents, numbers);
    return { numbers: numbers.sort((left, right) => left - right), notes };
  }

  /** Contents whose reports were removed when this server was ended: reports come in order, so theirs can't come any more. */
  async #removeLeftovers(contents: readonly number[], reports: readonly number[]): Promise<void> {
    const newest = reports.reduce((left, right) => Math.max(left, right), 0);
    for (const number of contents) {
      if (number < newest && !reports.includes(number)) await this.#remove(number);
    }
  }

  async #takeUnlessPutOff(number: number): Promise<Taken> {
    const before = this.#putOff?.number === number ? this.#putOff : null;
    if (before !== null && before.looksLeft > 0) {
      before.looksLeft--;
      return { kind: "waits", problem: before.problem, fault: "server" };
    }
    const taken = await this.#take(number);
    if (taken.kind === "waits" && taken.fault === "server") {
      const looksOff = Math.min(2 * (before?.looksOff ?? 1), MOST_LOOKS_OFF);
      this.#putOff = { number, problem: taken.problem, looksOff, looksLeft: looksOff };
    } else this.#putOff = null;
    return taken;
  }

  async #take(number: number): Promise<Taken> {
    try {
      const decoded = decodeReport(await readFile(join(this.#options.path, reportName(number))));
      if (decoded.kind === "unfinished") return { kind: "waits", problem: "it does not end with a line end yet" };
      if (decoded.kind === "invalid") return { kind: "refused", problem: decoded.problem };
      return await this.#apply(number, decoded.report);
    } catch (thrown) {
      // A listing may show what another host has just renamed or removed.
      if (isSystemError(thrown)) return { kind: "waits", problem: `it can't be read (${thrown.message})` };
      if (!(thrown instanceof RingstrasseError)) throw thrown;
      const problem = describeFailure(thrown.failure);
      const { code } = thrown.failure;
      if (PASSING.includes(code)) return { kind: "waits", problem, fault: "server" };
      // The job may yet come; if it does not, a person decides what becomes of its reports.
      const waits = code === "NOT_FOUND" && thrown.failure.what === "job";
      return { kind: waits ? "waits" : "refused", problem };
    }
  }

  async #apply(number: number, report: RunReport): Promise<Taken> {
    const { id, intake } = this.#options;
    switch (report.kind) {
      case "status":
        await intake.status(id, report);
        return { kind: "taken", last: report.status !== "INPROGRESS" };
      case "events":
        await intake.events(id, report);
        return { kind: "taken", last: false };
      case "document":
        await intake.document(id, report);
        return { kind: "taken", last: false };
      case "modelFile":
        return await this.#applyModelFile(number, report);
      default:
        return unreachable(report);
    }
  }

  async #applyModelFile(number: number, { name, sizeBytes }: ModelFileReport): Promise<Taken> {
    const { path, id, intake } = this.#options;
    const content = join(path, contentName(number));
    const { size } = await stat(content);
    if (size !== sizeBytes) {
      return { kind: "waits", problem: `its content has ${size} bytes instead of ${sizeBytes} yet` };
    }
    await intake.modelFile(id, { name, content: filePieces(content), sizeBytes });
    return { kind: "taken", last: false };
  }

  /** The report first: a report whose content is missing would wait for ever, a content without a report harms nobody. */
  async #remove(number: number): Promise<void> {
    await rm(join(this.#options.path, reportName(number)), { force: true });
    await rm(join(this.#options.path, contentName(number)), { force: true });
  }

  async #setAside(number: number): Promise<void> {
    for (const name of [contentName(number), reportName(number)]) {
      const path = join(this.#options.path, name);
      await rename(path, refusedName(path)).catch((cause: unknown) => {
        if (!isSystemError(cause) || cause.code !== "ENOENT") throw cause;
      });
    }
  }

  /** Unless another run has begun to report meanwhile. */
  async #removeDirectory(): Promise<void> {
    await rmdir(this.#options.path).catch((cause: unknown) => {
      if (!isSystemError(cause) || !["ENOTEMPTY", "EEXIST", "ENOENT"].includes(cause.code)) throw cause;
    });
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (cause) {
    if (isSystemError(cause) && cause.code === "ENOENT") return [];
    throw cause;
  }
}
