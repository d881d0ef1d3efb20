import { mkdtemp, readFile, realpath, rename, rm, statfs } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { syncDirectory, writeNewFile } from "../../shared/durable-file.js";
import { isSystemError } from "../../shared/write-failure.js";
import { fileSystemKind } from "../store/file-system-kind.js";
import type { MachineCheck } from "./finding.js";
import { judgeRunDirectory } from "./judge-run-directory.js";

/**
 * The file system of a folder, or of the nearest one above that is there.
 * @param isThorough whether to try there what runs need: a few files, which are removed again
 */
export function runDirectoryCheck(path: string, isThorough: boolean): MachineCheck {
  return async () => {
    try {
      const folder = await nearest(resolve(path));
      // Only Linux has this list; elsewhere the kind stays unknown.
      const mounts = await readFile("/proc/self/mounts", "utf8").catch(() => "");
      const { bavail, bsize } = await statfs(folder);
      const problem = isThorough ? await tryOut(folder) : null;
      return [judgeRunDirectory({ path, kind: fileSystemKind(folder, mounts), freeBytes: bavail * bsize, problem })];
    } catch (cause) {
      // A folder that can't even be looked at (no permission, a dead mount, links in a circle) is what one calls the doctor for.
      if (!isSystemError(cause)) throw cause;
      return [judgeRunDirectory({ path, kind: null, freeBytes: null, problem: cause.message })];
    }
  };
}

/** The nearest that is there: the last one may be a file, below which nothing can be. */
async function nearest(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (cause) {
    if (!isSystemError(cause) || (cause.code !== "ENOENT" && cause.code !== "ENOTDIR")) throw cause;
    return await nearest(dirname(path));
  }
}

/** Does what runs and checkpoints do. @returns what went wrong */
async function tryOut(folder: string): Promise<string | null> {
  let place: string | null = null;
  try {
    place = await mkdtemp(join(folder, ".ringstrasse-doctor-"));
    const [old, next, lock] = [join(place, "old"), join(place, "next"), join(place, "lock")];
    await writeNewFile(old, [Buffer.from("old")]);
    await writeNewFile(next, [Buffer.from("next")]);
    await rename(next, old);
    await syncDirectory(place);
    if ((await readFile(old, "utf8")) !== "next")
      return "a file that another one was renamed over still has its old text";
    await writeNewFile(lock, []);
    return await excludesSecond(lock);
  } catch (cause) {
    if (!isSystemError(cause)) throw cause;
    return cause.message;
  } finally {
    if (place !== null) await rm(place, { recursive: true, force: true });
  }
}

/** Creating a file that is there must fail: that is how one of several processes gets a name for itself. */
async function excludesSecond(lock: string): Promise<string | null> {
  try {
    await writeNewFile(lock, []);
    return "two processes can both create one file, so nothing keeps them apart";
  } catch (cause) {
    if (isSystemError(cause) && cause.code === "EEXIST") return null;
    throw cause;
  }
}
