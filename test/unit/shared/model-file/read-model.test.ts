import { mkdir, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { readModel } from "../../../../shared/model-file/read-model.js";
import { writeModel } from "../../../../shared/model-file/write-model.js";
import { failureOf } from "../../../support/failure-of.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { tinyModel } from "../../../support/trained-model.js";

// biome-ignore lint/suspicious/noExplicitAny: tests damage JSON at will
type Json = any;

async function written(): Promise<string> {
  const directory = join(await temporaryDirectory(), "model");
  await writeModel(directory, tinyModel());
  return directory;
}

async function damaged(change: (json: Json) => unknown): Promise<string> {
  const directory = await written();
  const file = join(directory, "model.json");
  const json: Json = JSON.parse(await readFile(file, "utf8"));
  await writeFile(file, JSON.stringify(change(json) ?? json));
  return directory;
}

describe("readModel", () => {
  it("gives back what was written, the weights in an arena with zero padding", async () => {
    const { facts, weights } = tinyModel();
    const model = await readModel(await written());
    expect(model.facts).toMatchObject(facts);
    expect(model.generatedBy).toBe("ringstrasse 0.0.0-test");
    expect(model.layout.slots.map(({ name, offset }) => [name, offset])).toEqual([
      ["hidden_1/kernel", 0],
      ["hidden_1/bias", 32],
      ["output/kernel", 48],
      ["output/bias", 64],
    ]);
    const bytes = Buffer.from(weights);
    const unpadded = model.layout.slots.flatMap(({ offset, length }) => [
      ...model.parameters.subarray(offset, offset + length),
    ]);
    expect(unpadded).toEqual(Array.from({ length: 43 }, (_, index) => bytes.readFloatLE(index * 4)));
    expect([...model.parameters.subarray(20, 32)]).toEqual(Array(12).fill(0));
  });

  it("takes the directory, its model.json or the output directory around it", async () => {
    const directory = await written();
    const hashes = await Promise.all(
      [directory, join(directory, "model.json"), dirname(directory)].map(
        async (path) => (await readModel(path)).facts.weightsSha256,
      ),
    );
    expect(new Set(hashes).size).toBe(1);
  });

  it("reads weights in several files, as tfjs writes large models", async () => {
    const directory = await damaged((json) => {
      json.weightsManifest[0].paths = ["first.bin", "second.bin"];
    });
    const weights = await readFile(join(directory, "weights.bin"));
    await writeFile(join(directory, "first.bin"), weights.subarray(0, 50));
    await writeFile(join(directory, "second.bin"), weights.subarray(50));
    const model = await readModel(directory);
    expect(model.parameters[0]).toBe(weights.readFloatLE(0));
  });

  it("names a path that is not there, and a directory without a model", async () => {
    const parent = await temporaryDirectory();
    const absent = await failureOf(() => readModel(join(parent, "nowhere")));
    expect(absent).toMatchObject({ code: "MODEL_INVALID", file: join(parent, "nowhere") });
    expect(absent.message).toContain("no such file or directory");
    const empty = await failureOf(() => readModel(parent));
    expect(empty).toMatchObject({ code: "MODEL_INVALID", file: parent });
    expect(empty.message).toMatch(/no model\.json.*ringstrasse train/);
  });

  it("says what to give instead of model.safetensors", async () => {
    const failure = await failureOf(async () => readModel(join(await written(), "model.safetensors")));
    expect(failure.code).toBe("MODEL_INVALID");
    expect(failure.message).toMatch(/not the model\.json.*Give the model\/ directory/);
  });

  it("refuses a model.json that is a directory or no JSON", async () => {
    const parent = await temporaryDirectory();
    await mkdir(join(parent, "model.json"));
    expect(await failureOf(() => readModel(parent))).toMatchObject({
      code: "MODEL_INVALID",
      file: join(parent, "model.json"),
      problem: "it can't be read (EISDIR)",
    });
    const directory = await written();
    await writeFile(join(directory, "model.json"), '{"format":');
    const failure = await failureOf(() => readModel(directory));
    expect(failure).toMatchObject({ code: "MODEL_INVALID", file: join(directory, "model.json") });
    expect(failure.message).toContain("it is not JSON");
  });

  it("explains why a tfjs model of others can't be used", async () => {
    const directory = await damaged((json) => {
      json.userDefinedMetadata = undefined;
    });
    const failure = await failureOf(() => readModel(directory));
    expect(failure.code).toBe("MODEL_INVALID");
    expect(failure.message).toMatch(/was not written by ringstrasse.*tf\.loadLayersModel/);
  });

  it("refuses a later format by its number", async () => {
    const directory = await damaged((json) => {
      json.userDefinedMetadata.ringstrasse.formatVersion = 2;
    });
    const failure = await failureOf(() => readModel(directory));
    expect(failure).toMatchObject({ code: "MODEL_INVALID", file: join(directory, "model.json") });
    expect(failure.message).toMatch(/format version is 2.*reads 1/);
  });

  it.each<[string, (json: Json) => unknown, RegExp]>([
    ["no object", () => [1, 2], /was not written by ringstrasse/],
    ["another format", (json) => ({ ...json, format: "graph-model" }), /not as written: format/],
    ["facts incomplete", (json) => delete json.userDefinedMetadata.ringstrasse.model, /not as written: model/],
    ["classes without names", (json) => json.userDefinedMetadata.ringstrasse.classNames.pop() && json, /2 names for 3/],
    [
      "means for other columns",
      (json) => json.userDefinedMetadata.ringstrasse.transform.mean.pop() && json,
      /3 means and 4 deviations for 4 inputs/,
    ],
    [
      "a tensor renamed",
      (json) => {
        json.weightsManifest[0].weights[2].name = "output/weights";
      },
      /tensor 2 of weightsManifest is output\/weights \[5, 3\], but the model asks for output\/kernel \[5, 3\]/,
    ],
    [
      "a tensor reshaped",
      (json) => {
        json.weightsManifest[0].weights[0].shape = [5, 4];
      },
      /tensor 0 of weightsManifest is hidden_1\/kernel \[5, 4\]/,
    ],
    [
      "a tensor missing",
      (json) => {
        json.weightsManifest[0].weights.pop();
      },
      /tensor 3 of weightsManifest is missing/,
    ],
    [
      "weights elsewhere",
      (json) => {
        json.weightsManifest[0].paths = ["../../../etc/passwd"];
      },
      /plain file name/,
    ],
    [
      "quantised weights",
      (json) => {
        json.weightsManifest[0].weights[0].dtype = "uint8";
      },
      /weightsManifest\.0\.weights\.0\.dtype/,
    ],
  ])("refuses a model.json with %s", async (_what, change, message) => {
    const directory = await damaged((json) => {
      const changed = change(json);
      return typeof changed === "object" ? changed : json;
    });
    const failure = await failureOf(() => readModel(directory));
    expect(failure).toMatchObject({ code: "MODEL_INVALID", file: join(directory, "model.json") });
    expect(failure.message).toMatch(message);
  });

  it("names weights that are missing, truncated, too long or changed", async () => {
    const directory = await written();
    const file = join(directory, "weights.bin");
    const whole = await readFile(file);

    await truncate(file, whole.length - 1);
    expect(await failureOf(() => readModel(directory))).toMatchObject({
      code: "MODEL_INVALID",
      file,
      problem: "the weights have 171 bytes, but the model needs 172: they are truncated",
    });

    await writeFile(file, Buffer.concat([whole, Buffer.alloc(4)]));
    expect(await failureOf(() => readModel(directory))).toMatchObject({
      file,
      problem: "the weights have 176 bytes, but the model needs 172",
    });

    const changed = Buffer.from(whole);
    changed.writeUInt8((changed[100] ?? 0) ^ 1, 100);
    await writeFile(file, changed);
    const mismatch = await failureOf(() => readModel(directory));
    expect(mismatch).toMatchObject({ code: "MODEL_INVALID", file });
    expect(mismatch.message).toMatch(/SHA-256 is [0-9a-f]{64}, but model\.json says [0-9a-f]{64}/);

    await rm(file);
    const missing = await failureOf(() => readModel(directory));
    expect(missing).toMatchObject({ code: "MODEL_INVALID", file });
    expect(missing.message).toContain("is not there");

    await rename(join(directory, "model.safetensors"), file);
    expect((await failureOf(() => readModel(directory))).message).toMatch(/the weights have \d+ bytes/);
  });
});
