import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { createDirectory } from "../../shared/create-directory.js";
import { type JobId, JobIdSchema } from "../../shared/ids.js";
import type { Logger } from "../../shared/logger.js";
import { writeFailure } from "../../shared/write-failure.js";
import type { ReportIntake } from "./report-intake.js";
import { isJobId } from "./report-target.js";
import { SpoolDirectory, type SpoolNote } from "./spool-directory.js";

export interface SpoolWatcherOptions {
  /** Holds one directory per job, named by its id; created when it is not there. One server watches it. */
  readonly directory: string;
  readonly intake: ReportIntake;
  readonly log: Logger;
  /** Between looks. Shared file systems tell nobody of new files. Default 500. */
  readonly intervalMs?: number;
}

/**
 * Takes in what runs elsewhere put into a spool directory (see `spool-format.ts`), each job's reports in the order of their numbers.
 * A file goes when it is taken in; after a restart what is left comes again, which changes nothing. What can't be taken in is named in
 * the log, once, and stays.
 */
export class SpoolWatcher implements AsyncDisposable {
  readonly #options: SpoolWatcherOptions;
  readonly #closing = new AbortController();
  /** What has been said, by path. */
  readonly #said = new Map<string, string>();
  /** By path, as long as they are there. */
  readonly #spools = new Map<string, SpoolDirectory>();
  #watching: Promise<void> = Promise.resolve();

  private constructor(options: SpoolWatcherOptions) {
    this.#options = options;
  }

  /** Looks at once, and then again and again. @throws RingstrasseError OUTPUT_UNWRITABLE when the directory can't be had */
  static async open(options: SpoolWatcherOptions): Promise<SpoolWatcher> {
    try {
      await createDirectory(options.directory);
      await readdir(options.directory);
    } catch (cause) {
      throw writeFailure(options.directory, cause);
    }
    const watcher = new SpoolWatcher(options);
    watcher.#watching = watcher.#watch();
    return watcher;
  }

  /** What stays in the spool although it was seen: path → why. */
  get notes(): ReadonlyMap<string, string> {
    return this.#said;
  }

  /** Waits for the file that is being taken in. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    const { signal } = this.#closing;
    const { log, directory, intervalMs = 500 } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#look();
      } catch (thrown) {
        // The shared file system may be away for a while.
        this.#say({ path: directory, problem: `the spool can't be read (${String(thrown)})` });
        log.debug({ err: thrown }, "spool");
      }
      await wait(intervalMs, undefined, { signal }).catch((thrown: unknown) => {
        if (!signal.aborted) throw thrown;
      });
    }
  }

  async #look(): Promise<void> {
    const { directory } = this.#options;
    const notes: SpoolNote[] = [];
    const entries = await readdir(directory, { withFileTypes: true });
    for (const entry of entries) {
      if (this.#closing.signal.aborted) return;
      // NFS keeps deleted files that are still open under such names for a while.
      if (entry.name.startsWith(".nfs")) continue;
      const path = join(directory, entry.name);
      if (!entry.isDirectory() || !isJobId(entry.name)) {
        notes.push({ path, problem: "it is no directory of a job, and stays untouched" });
        continue;
      }
      notes.push(...(await this.#takeIn(path, JobIdSchema.parse(entry.name))));
    }
    const paths = new Set(entries.map(({ name }) => join(directory, name)));
    for (const path of this.#spools.keys()) if (!paths.has(path)) this.#spools.delete(path);
    for (const path of this.#said.keys()) if (!notes.some((note) => note.path === path)) this.#said.delete(path);
    for (const note of notes) this.#say(note);
  }

  /** What goes wrong with one job's directory holds none of the others up. */
  async #takeIn(path: string, id: JobId): Promise<SpoolNote[]> {
    const { intake, log } = this.#options;
    const spool = this.#spools.get(path) ?? new SpoolDirectory({ path, id, intake });
    this.#spools.set(path, spool);
    try {
      return await spool.takeIn(this.#closing.signal);
    } catch (thrown) {
      log.debug({ err: thrown, path }, "spool");
      return [{ path, problem: `its reports can't be taken in now (${String(thrown)})` }];
    }
  }

  #say({ path, problem }: SpoolNote): void {
    if (this.#said.get(path) === problem) return;
    this.#said.set(path, problem);
    this.#options.log.warn({ path, problem }, "something in the spool is not taken in");
  }
}
