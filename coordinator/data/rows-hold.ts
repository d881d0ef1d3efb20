import { randomBytes } from "node:crypto";
import { rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createDirectory } from "../../shared/create-directory.js";
import { isSystemError } from "../../shared/write-failure.js";
import { DESCRIPTION } from "./kept-entry.js";

/** A hold says so often that it still is one … */
const RENEWED_EVERY_MS = 3600 * 1000;
/** … and one that has not for so long was left by a process that died. */
export const HOLD_LASTS_MS = 24 * 3600 * 1000;

interface HeldEntry {
  readonly directory: string;
  readonly key: string;
  /** The empty file that says so. */
  readonly sign: string;
}

/**
 * Keeps prepared rows from being removed for as long as it is not disposed of: a file beside them tells every process that shares their
 * directory, on whatever host. Take entries before looking for them.
 */
export class RowsHold implements AsyncDisposable {
  readonly #held: HeldEntry[] = [];
  #renewal: NodeJS.Timeout | null = null;

  /** Does nothing where nothing may be written: nobody can make rows there either, so those that are there stay. */
  async take(directory: string, key: string): Promise<void> {
    const sign = join(directory, `.${key}.in-use-${randomBytes(6).toString("hex")}`);
    try {
      await createDirectory(directory);
      await writeFile(sign, "", { flag: "wx" });
    } catch (cause) {
      if (isSystemError(cause)) return;
      throw cause;
    }
    this.#held.push({ directory, key, sign });
    this.#renewal ??= setInterval(() => this.#renew(), RENEWED_EVERY_MS).unref();
  }

  /** From here on the entries count as unused since now. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#renewal !== null) clearInterval(this.#renewal);
    for (const { directory, key, sign } of this.#held.splice(0)) {
      await touch(join(directory, key, DESCRIPTION));
      // One that can't be removed runs out by itself.
      await rm(sign, { force: true }).catch(() => undefined);
    }
  }

  #renew(): void {
    for (const { sign } of this.#held) void touch(sign);
  }
}

/** Sets a file's time to now, where that is allowed and the file is there. */
export async function touch(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now).catch(() => undefined);
}
