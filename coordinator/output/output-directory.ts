import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createDirectory } from "../../shared/create-directory.js";
import { unfinishedSibling, writeNewFile } from "../../shared/durable-file.js";
import { refuseForeignFiles } from "../../shared/model-file/write-model.js";
import { writeFailure } from "../../shared/write-failure.js";
import { HASH_LOG_FILE } from "./hash-log-format.js";

/** Written next to `result.json` by a run that finished. */
const RESULT_DOCUMENTS = ["trainingresult.xml", "resultschema.xml"];

/** Where a run puts what; absolute paths. */
export interface OutputDirectory {
  readonly path: string;
  readonly modelDir: string;
  readonly resultFile: string;
  readonly metricsFile: string;
  readonly hashLogFile: string;
}

/**
 * Makes sure before a long training that its results can be kept: creates the directory (with its parents) and proves by a
 * file, removed at once, that it can be written. The result of an earlier run there is removed with its documents, so that
 * `result.json` is there exactly when the last run finished; its model stays until a new one replaces it.
 * @throws RingstrasseError OUTPUT_UNWRITABLE
 */
export async function prepareOutputDirectory(path: string): Promise<OutputDirectory> {
  const root = resolve(path);
  const directory: OutputDirectory = {
    path: root,
    modelDir: join(root, "model"),
    resultFile: join(root, "result.json"),
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
  await refuseForeignFiles(directory.modelDir);
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
