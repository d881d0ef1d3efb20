import { readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { layoutOf, savedBytes } from "../arena-layout.js";
import { createDirectory } from "../create-directory.js";
import { syncDirectory, unfinishedSibling, writeNewFile } from "../durable-file.js";
import { RingstrasseError } from "../failure.js";
import { isSystemError, writeFailure } from "../write-failure.js";
import { layersModelJson, weightEntries } from "./layers-model.js";
import { MODEL_FILES, MODEL_FORMAT_VERSION, type ModelFacts, ModelFactsSchema } from "./model-facts.js";
import { safetensorsHead } from "./safetensors.js";
import { weightHashes } from "./weight-hashes.js";

export interface ModelToWrite {
  readonly facts: Omit<ModelFacts, "formatVersion" | "weightsSha256" | "statisticsSha256">;
  /** All trainable tensors, then the running statistics; each in layer order, without padding, little-endian float32. */
  readonly weights: Uint8Array;
  /** Of this software. */
  readonly version: string;
}

/**
 * Writes a model directory: `model.json` and `weights.bin` (tfjs LayersModel) and `model.safetensors`. They are written beside
 * it, synced, and renamed into place, so that nobody ever sees a part; an earlier model there is replaced, and stays when
 * writing fails. One writer per directory at a time.
 * @returns the SHA-256 of the trainable weights.
 * @throws RingstrasseError OUTPUT_UNWRITABLE (the directory holds other things than a model, no space, …)
 * @throws RangeError when weights and model, or the facts among themselves, don't fit: a mistake of the caller.
 */
export async function writeModel(directory: string, { facts, weights, version }: ModelToWrite): Promise<string> {
  const layout = layoutOf(facts.model);
  const expected = savedBytes(layout);
  if (weights.byteLength !== expected) {
    throw new RangeError(`${weights.byteLength} bytes of weights for ${expected / 4} float32 parameters`);
  }
  const hashes = weightHashes(layout, weights);
  const { weightsSha256 } = hashes;
  const checked = ModelFactsSchema.safeParse({ ...facts, formatVersion: MODEL_FORMAT_VERSION, ...hashes });
  if (!checked.success) throw new RangeError(`facts of a model: ${checked.error.message}`, { cause: checked.error });
  const json = layersModelJson(checked.data, layout, version);
  const head = safetensorsHead(weightEntries(layout), safetensorsMetadata(checked.data, json.generatedBy));
  await refuseForeignFiles(directory);
  const unfinished = unfinishedSibling(directory);
  try {
    await createDirectory(unfinished);
    await writeNewFile(join(unfinished, MODEL_FILES.weights), [weights]);
    await writeNewFile(join(unfinished, MODEL_FILES.safetensors), [head, weights]);
    await writeNewFile(join(unfinished, MODEL_FILES.topology), [Buffer.from(JSON.stringify(json), "utf8")]);
    await syncDirectory(unfinished);
    await replaceDirectory(unfinished, directory);
  } catch (cause) {
    await rm(unfinished, { recursive: true, force: true });
    throw writeFailure(directory, cause);
  }
  return weightsSha256;
}

/**
 * Models replace models, never anything else. To be asked before a long training, too.
 * @throws RingstrasseError OUTPUT_UNWRITABLE when `directory` is a file, or holds anything that {@link writeModel} doesn't write.
 */
export async function refuseForeignFiles(directory: string): Promise<void> {
  const ours: readonly string[] = Object.values(MODEL_FILES);
  const foreign = (await namesIn(directory)).filter((name) => !ours.includes(name));
  if (foreign.length === 0) return;
  throw new RingstrasseError({
    code: "OUTPUT_UNWRITABLE",
    path: directory,
    problem: `the directory for the model holds other things: ${foreign.slice(0, 3).join(", ")}${foreign.length > 3 ? ", …" : ""}`,
    remedy: "Choose another output directory, or move them away",
  });
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (cause) {
    if (isSystemError(cause) && cause.code === "ENOENT") return [];
    throw writeFailure(directory, cause);
  }
}

/** A directory that is not empty can't be renamed over: the old one steps aside first, and comes back when that fails. */
async function replaceDirectory(from: string, to: string): Promise<void> {
  const aside = unfinishedSibling(to);
  const hadOld = await renameIfThere(to, aside);
  try {
    await rename(from, to);
  } catch (cause) {
    if (hadOld) await rename(aside, to);
    throw cause;
  }
  await syncDirectory(dirname(to));
  if (hadOld) await rm(aside, { recursive: true, force: true });
}

async function renameIfThere(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (cause) {
    if (isSystemError(cause) && cause.code === "ENOENT") return false;
    throw cause;
  }
}

function safetensorsMetadata(facts: ModelFacts, generatedBy: string): Record<string, string> {
  return {
    generatedBy,
    jobId: facts.jobId,
    seed: String(facts.seed),
    weightsSha256: facts.weightsSha256,
    ...(facts.statisticsSha256 === undefined ? {} : { statisticsSha256: facts.statisticsSha256 }),
    model: JSON.stringify(facts.model),
    transform: JSON.stringify(facts.transform),
    classNames: JSON.stringify(facts.classNames),
    labelColumn: JSON.stringify(facts.labelColumn),
    ...(facts.featureNames === undefined ? {} : { featureNames: JSON.stringify(facts.featureNames) }),
  };
}
