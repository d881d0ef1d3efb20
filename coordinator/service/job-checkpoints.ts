import { readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { describeFailure } from "../../shared/describe-failure.js";
import { RingstrasseError, toFailure } from "../../shared/failure.js";
import type { JobId } from "../../shared/ids.js";
import { isSystemError, writeFailure } from "../../shared/write-failure.js";
import { CHECKPOINTS_FOLDER, damagedFileName, stepOfFileName } from "../checkpoint/checkpoint-format.js";
import { chooseCheckpoint, RESUME_AUTO } from "../checkpoint/choose-checkpoint.js";
import type { SavedCheckpoint } from "../checkpoint/saved-checkpoint.js";

/** To whom the job belongs. */
const WHEN_UNREADABLE =
  "None of them is removed. Have the cause mended (permissions, the device, the version of the server) and queue the job again; queued with resume=never it begins at its beginning";

/**
 * The checkpoints that a job's runs have left in its output directory. A job that waits goes on from them when it starts, so they are
 * removed as soon as it has finished, or is to begin at its beginning.
 */
export class JobCheckpoints {
  readonly #outputOf: (id: JobId) => string;

  /** @param outputOf a job's output directory */
  constructor(outputOf: (id: JobId) => string) {
    this.#outputOf = outputOf;
  }

  /** Whether there is any, sound or not. @throws RingstrasseError OUTPUT_UNWRITABLE */
  async has(id: JobId): Promise<boolean> {
    return (await this.newestStep(id)) !== null;
  }

  /** Of the newest, sound or not; null: there is none. Costs a look into a folder. @throws RingstrasseError OUTPUT_UNWRITABLE */
  async newestStep(id: JobId): Promise<number | null> {
    const steps = (await this.#names(id)).map((name) => stepOfFileName(name) ?? 0);
    return steps.length === 0 ? null : Math.max(...steps);
  }

  /**
   * The newest sound one, checked to its last byte; null: there is none. Those that can't be used are told to `warn`; when all are damaged
   * they get another name, and the job begins at its beginning. As long as one may be sound, nothing is touched.
   * @throws RingstrasseError CHECKPOINT_UNREADABLE, OUTPUT_UNWRITABLE
   */
  async open(id: JobId, warn: (message: string) => void): Promise<SavedCheckpoint | null> {
    try {
      return await chooseCheckpoint({ resume: RESUME_AUTO, out: this.#outputOf(id), warn });
    } catch (thrown) {
      const failure = toFailure(thrown);
      if (failure.code === "CHECKPOINT_UNREADABLE")
        throw new RingstrasseError({ ...failure, remedy: WHEN_UNREADABLE }, { cause: thrown });
      if (failure.code !== "CHECKPOINT_UNUSABLE") throw thrown;
      warn(`${describeFailure({ ...failure, remedy: "The job begins at its beginning" })}`);
      await this.#setAside(id);
      return null;
    }
  }

  /** Removes them all. @throws RingstrasseError OUTPUT_UNWRITABLE */
  async forget(id: JobId): Promise<void> {
    const folder = this.#folderOf(id);
    try {
      await rm(folder, { recursive: true, force: true });
    } catch (cause) {
      throw writeFailure(folder, cause);
    }
  }

  async #setAside(id: JobId): Promise<void> {
    const folder = this.#folderOf(id);
    try {
      for (const name of await this.#names(id)) await rename(join(folder, name), join(folder, damagedFileName(name)));
    } catch (cause) {
      throw writeFailure(folder, cause);
    }
  }

  /** Of all checkpoints. @throws RingstrasseError OUTPUT_UNWRITABLE */
  async #names(id: JobId): Promise<string[]> {
    const folder = this.#folderOf(id);
    try {
      return (await readdir(folder)).filter((name) => stepOfFileName(name) !== null);
    } catch (cause) {
      if (isSystemError(cause) && cause.code === "ENOENT") return [];
      throw writeFailure(folder, cause);
    }
  }

  #folderOf(id: JobId): string {
    return join(this.#outputOf(id), CHECKPOINTS_FOLDER);
  }
}
