import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { type ArenaLayout, layoutOf, savedBytes } from "../arena-layout.js";
import { isSystemError } from "../write-failure.js";
import { weightEntries } from "./layers-model.js";
import { METADATA_KEY, MODEL_FILES, MODEL_FORMAT_VERSION, type ModelFacts, ModelFactsSchema } from "./model-facts.js";
import { modelInvalid, modelUnreadable, RETRAIN } from "./model-failure.js";
import { readWeights, weightsToArena } from "./read-weights.js";
import { weightHashes } from "./weight-hashes.js";

/** A trained model, read and checked. */
export interface TrainedModel {
  readonly facts: ModelFacts;
  readonly layout: ArenaLayout;
  /** The weights as engines take them: an arena of `layout`, padding zero. A fresh array, the caller's own. */
  readonly parameters: Float32Array;
  /** e.g. `ringstrasse 0.1.0`. */
  readonly generatedBy: string;
}

const HASHED = [
  ["weightsSha256", "the weights'"],
  ["statisticsSha256", "the running statistics'"],
] as const;
const MAX_TOPOLOGY_BYTES = 256 * 1024 * 1024;

const LayersModelSchema = z.object({
  format: z.literal("layers-model"),
  generatedBy: z.string(),
  weightsManifest: z.array(
    z.object({
      // Plain names only: a model must not make us read elsewhere.
      paths: z.array(
        z.string().regex(/^(?!\.{1,2}$)[^/\\]+$/, "a weights file is named by more than a plain file name"),
      ),
      weights: z.array(z.object({ name: z.string(), shape: z.array(z.number()), dtype: z.literal("float32") })),
    }),
  ),
});
const TaggedSchema = z.object({
  userDefinedMetadata: z.object({ [METADATA_KEY]: z.looseObject({ formatVersion: z.unknown() }) }),
});

/**
 * Reads a model that {@link writeModel} wrote. Checks everything: names and shapes of the tensors against the model, and the
 * weights against their SHA-256.
 * @param path a model directory, its `model.json`, or a run's output directory (then its `model/`).
 * @throws RingstrasseError MODEL_INVALID naming the file and what to do.
 */
export async function readModel(path: string): Promise<TrainedModel> {
  const file = await topologyFile(path);
  const raw = parseJson(file, await readText(file));
  const facts = factsOf(file, raw);
  const parsed = LayersModelSchema.safeParse(raw);
  if (!parsed.success)
    throw modelInvalid(file, `it is not as written: ${firstIssue(parsed.error)}`, RETRAIN, parsed.error);
  const layout = layoutOf(facts.model);
  const { weightsManifest, generatedBy } = parsed.data;
  const found = weightsManifest.flatMap((group) => group.weights);
  const expected = weightEntries(layout);
  for (let index = 0; index < Math.max(found.length, expected.length); index++) {
    const [here, there] = [describeTensor(found[index]), describeTensor(expected[index])];
    if (here !== there) {
      throw modelInvalid(
        file,
        `tensor ${index} of weightsManifest is ${here}, but the model asks for ${there}`,
        RETRAIN,
      );
    }
  }
  const names = weightsManifest.flatMap((group) => group.paths);
  const weights = await readWeights(file, names, savedBytes(layout));
  const hashes = weightHashes(layout, weights);
  for (const [name, what] of HASHED) {
    if (hashes[name] === facts[name]) continue;
    const weightsFile = join(dirname(file), names[0] ?? MODEL_FILES.weights);
    const said = facts[name] ?? "nothing of them";
    throw modelInvalid(weightsFile, `${what} SHA-256 is ${hashes[name]}, but model.json says ${said}`, RETRAIN);
  }
  return { facts, layout, parameters: weightsToArena(layout, weights), generatedBy };
}

async function topologyFile(path: string): Promise<string> {
  const found = await statOrNull(path);
  const remedy = "Give the model/ directory that `ringstrasse train` wrote, or its model.json";
  if (found === null) throw modelInvalid(path, "there is no such file or directory", remedy);
  if (!found.isDirectory()) {
    if (basename(path).endsWith(".json")) return path;
    throw modelInvalid(path, "this file is not the model.json of a model", remedy);
  }
  for (const candidate of [join(path, MODEL_FILES.topology), join(path, "model", MODEL_FILES.topology)]) {
    if (await statOrNull(candidate)) return candidate;
  }
  throw modelInvalid(path, `there is no ${MODEL_FILES.topology} in this directory`, remedy);
}

async function statOrNull(path: string) {
  try {
    return await stat(path);
  } catch (cause) {
    if (isSystemError(cause) && (cause.code === "ENOENT" || cause.code === "ENOTDIR")) return null;
    throw modelUnreadable(path, cause);
  }
}

async function readText(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > MAX_TOPOLOGY_BYTES) throw modelInvalid(file, `it has ${size} bytes, too many for a model.json`, RETRAIN);
    return await readFile(file, "utf8");
  } catch (cause) {
    throw modelUnreadable(file, cause);
  }
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw modelInvalid(
      file,
      `it is not JSON (${cause instanceof Error ? cause.message : String(cause)})`,
      RETRAIN,
      cause,
    );
  }
}

function factsOf(file: string, raw: unknown): ModelFacts {
  const tagged = TaggedSchema.safeParse(raw);
  if (!tagged.success) {
    const problem = `it has no userDefinedMetadata.${METADATA_KEY}, so it was not written by ringstrasse: how the features were scaled and what the classes are called is not known`;
    throw modelInvalid(
      file,
      problem,
      "Give a model that `ringstrasse train` wrote; other tfjs models run with `tf.loadLayersModel`",
      tagged.error,
    );
  }
  const untrusted = tagged.data.userDefinedMetadata[METADATA_KEY];
  const version: unknown = untrusted?.formatVersion;
  if (version !== MODEL_FORMAT_VERSION) {
    const problem = `its format version is ${JSON.stringify(version)}, this version of ringstrasse reads ${MODEL_FORMAT_VERSION}`;
    throw modelInvalid(file, problem, "Install the version of ringstrasse that wrote it (see `generatedBy` there)");
  }
  const facts = ModelFactsSchema.safeParse(untrusted);
  if (!facts.success) {
    throw modelInvalid(
      file,
      `userDefinedMetadata.${METADATA_KEY} is not as written: ${firstIssue(facts.error)}`,
      RETRAIN,
      facts.error,
    );
  }
  return facts.data;
}

function describeTensor(tensor: { name: string; shape: readonly number[] } | undefined): string {
  return tensor === undefined ? "missing" : `${tensor.name} [${tensor.shape.join(", ")}]`;
}

function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue === undefined ? error.message : `${issue.path.join(".")}: ${issue.message}`;
}
