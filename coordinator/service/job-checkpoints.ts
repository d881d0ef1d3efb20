import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { describeFailure } from "../../shared/describe-failure.js";
import { toFailure } from "../../shared/failure.js";
import type { JobId } from "../../shared/ids.js";
import { isSystemError, writeFailure } from "../../shared/write-failure.js";
import { CHECKPOINTS_FOLDER, stepOfFileName } from "../checkpoint/checkpoint-format.js";
import { chooseCheckpoint, RESUME_AUTO } from "../checkpoint/choose-checkpoint.js";
import type { SavedCheckpoint } from "../checkpoint/saved-checkpoint.js";

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
    const folder = this.#folderOf(id);
    try {
      const steps = (await readdir(folder)).map(stepOfFileName).filter((step) => step !== null);
      return steps.length === 0 ? null : Math.max(...steps);
    } catch (cause) {
      if (isSystemError(cause) && cause.code === "ENOENT") return null;
      throw writeFailure(folder, cause);
    }
  }

  /**
   * The newest sound one, checked to its last byte; null: there is none. Those that are damaged are told to `warn`; when no other is left
   * they are removed, and the job begins at its beginning. @throws RingstrasseError OUTPUT_UNWRITABLE
   */
  async open(id: JobId, warn: (message: string) => void): Promise<SavedCheckpoint | null> {
    try {
      return await chooseCheckpoint({ resume: RESUME_AUTO, out: this.#outputOf(id), warn });
    } catch (thrown) {
      const failure = toFailure(thrown);
      if (failure.code !== "CHECKPOINT_UNUSABLE") throw thrown;
      warn(`${describeFailure({ ...failure, remedy: "The job begins at its beginning" })}`);
      await this.forget(id);
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

  #folderOf(id: JobId): string {
    return join(this.#outputOf(id), CHECKPOINTS_FOLDER);
  }
}
