import { join } from "node:path";
import { RingstrasseError } from "../../shared/failure.js";
import { acquireProcessLock } from "../../shared/process-lock.js";
import { isSystemError, writeFailure } from "../../shared/write-failure.js";

/** In the output directory, while a run writes there. */
const LOCK_FILE = ".run.lock";
/**
 * The output directory of a run of this process, which another process of this host must not write to: two runs would tear each other's
 * records. On other hosts nobody can know whether the holder is alive, and a batch job whose node was lost has to go on from the same
 * directory: their locks hold nobody up. At most one directory at a time.
 */
export class OutputHold implements AsyncDisposable {
  #lock: AsyncDisposable | null = null;

  /** @param path of a directory that is there. @throws RingstrasseError OUTPUT_UNWRITABLE naming the process that writes there */
  async take(path: string): Promise<void> {
    try {
      this.#lock = await acquireProcessLock(join(path, LOCK_FILE), {
        onOtherHosts: "dead",
        busy: ({ host, pid }) => {
          const problem = `process ${pid} on ${host} is writing a run here`;
          const remedy = "Choose another --out, or wait until it has finished";
          return new RingstrasseError({ code: "OUTPUT_UNWRITABLE", path, problem, remedy });
        },
      });
    } catch (cause) {
      // Some file systems, as those of object stores and memory cards, know no hard links: there nothing keeps runs apart.
      if (isSystemError(cause) && "syscall" in cause && cause.syscall === "link") return;
      throw writeFailure(path, cause);
    }
  }

  /** Lets others write there. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lock?.[Symbol.asyncDispose]();
    this.#lock = null;
  }
}
