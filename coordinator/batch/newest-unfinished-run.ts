import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { isSystemError } from "../../shared/write-failure.js";
import { CHECKPOINTS_FOLDER, stepOfFileName } from "../checkpoint/checkpoint-format.js";
import { RESULT_FILE } from "../output/output-directory.js";

/**
 * Of the runs whose output directories these are, the one that has saved its state last and has not finished; null: there is none.
 * @throws system errors
 */
export async function newestUnfinishedRun(directories: readonly string[]): Promise<string | null> {
  const found = await Promise.all(directories.map(async (path) => ({ path, savedMs: await savedAt(path) })));
  const unfinished = found.flatMap(({ path, savedMs }) => (savedMs === null ? [] : [{ path, savedMs }]));
  return unfinished.sort((one, other) => one.savedMs - other.savedMs).at(-1)?.path ?? null;
}

/** Milliseconds since 1970; null: it has saved nothing, or has finished. */
async function savedAt(directory: string): Promise<number | null> {
  const folder = join(directory, CHECKPOINTS_FOLDER);
  try {
    const hasSaved = (await readdir(folder)).some((name) => stepOfFileName(name) !== null);
    const hasFinished = (await readdir(directory)).includes(RESULT_FILE);
    return hasSaved && !hasFinished ? (await stat(folder)).mtimeMs : null;
  } catch (cause) {
    if (isSystemError(cause) && (cause.code === "ENOENT" || cause.code === "ENOTDIR")) return null;
    throw cause;
  }
}
