import { readdir, rm } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { createDirectory } from "../../shared/create-directory.js";
import { unfinishedSibling, writeNewFile } from "../../shared/durable-file.js";
import { RingstrasseError } from "../../shared/failure.js";
import { refuseForeignFiles } from "../../shared/model-file/write-model.js";
import { isSystemError, writeFailure } from "../../shared/write-failure.js";
import {
  CHECKPOINTS_FOLDER,
  isAbandonedCheckpoint,
  isUnfinishedCheckpoint,
  stepOfFileName,
} from "../checkpoint/checkpoint-format.js";
import { HASH_LOG_FILE } from "./hash-log-format.js";
import type { OutputHold } from "./output-hold.js";

/** Written next to `result.json` by a run that finished. */
const RESULT_DOCUMENTS = ["trainingresult.xml", "resultschema.xml"];

/** In the output directory of a run that has finished, and in no other. */
export const RESULT_FILE = "result.json";

/** Where a run puts what; absolute paths. */
export interface OutputDirectory {
  readonly path: string;
  readonly modelDir: string;
  readonly resultFile: string;
  readonly metricsFile: string;
  readonly hashLogFile: string;
}

export interface OutputWishes {
  /** Whether the run goes on from a checkpoint. */
  readonly resumes: boolean;
  /** Takes the directory before anything in it is touched; absent: no other process writes there anyway. */
  readonly hold?: OutputHold | undefined;
}

/**
 * Makes sure before a long training that its results can be kept: creates the directory (with its parents) and proves by a
 * file, removed at once, that it can be written. The result of an earlier run there is removed with its documents, so that
 * `result.json` is there exactly when the last run finished; its model stays until a new one replaces it.
 * Checkpoints there stay for a run that goes on from one of them. Otherwise those of a run that finished are removed, and those of one that did not are
 * nobody's to throw away: such a directory is refused.
 * @throws RingstrasseError OUTPUT_UNWRITABLE
 */
export async function prepareOutputDirectory(path: string, { resumes, hold }: OutputWishes): Promise<OutputDirectory> {
  const root = resolve(path);
  const directory: OutputDirectory = {
    path: root,
    modelDir: join(root, "model"),
    resultFile: join(root, RESULT_FILE),
    metricsFile: join(root, "metrics.csv"),
    hashLogFile: join(root, HASH_LOG_FILE),
  };
  const probe = unfinishedSibling(join(root, "probe"));
  try {
    await createDirectory(root);
    await writeNewFile(probe, [Buffer.from("can this directory be written?\n")]);
  } catch (cause) {
    throw writeFailure(root, cause);
  } finally {
    // Parents that are files make even `force` fail; the reason above says it better.
    await rm(probe, { force: true }).catch(() => undefined);
  }
  await hold?.take(root);
  await refuseForeignFiles(directory.modelDir);
  if (!resumes) await clearCheckpoints(directory);
  // The result first: without it, nobody takes the rest for finished.
  for (const stale of [directory.resultFile, ...RESULT_DOCUMENTS.map((name) => join(root, name))]) {
    try {
      await rm(stale, { force: true });
    } catch (cause) {
      throw writeFailure(stale, cause);
    }
  }
  return directory;
}

/** @throws RingstrasseError OUTPUT_UNWRITABLE for those of a run that did not finish */
async function clearCheckpoints({ path, resultFile }: OutputDirectory): Promise<void> {
  const folder = join(path, CHECKPOINTS_FOLDER);
  try {
    const names = await namesIn(folder);
    const checkpoints = names.filter((name) => stepOfFileName(name) !== null);
    const hasFinished = (await namesIn(path)).includes(basename(resultFile));
    if (checkpoints.length > 0 && !hasFinished) throw unfinishedRun(path, checkpoints.length);
    const abandoned = hasFinished ? names.filter(isAbandonedCheckpoint) : [];
    for (const name of [...checkpoints, ...abandoned, ...names.filter(isUnfinishedCheckpoint)])
      await rm(join(folder, name));
  } catch (cause) {
    throw writeFailure(folder, cause);
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

function unfinishedRun(path: string, count: number): RingstrasseError {
  const problem = `a run that did not finish has left ${count} ${count === 1 ? "checkpoint" : "checkpoints"} here`;
  const remedy = `Go on from there with --resume ${path}, choose another --out, or remove ${join(path, CHECKPOINTS_FOLDER)}`;
  return new RingstrasseError({ code: "OUTPUT_UNWRITABLE", path, problem, remedy });
}
