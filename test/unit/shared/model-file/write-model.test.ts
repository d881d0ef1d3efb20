import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";
import type { ArenaLayout } from "../../../../shared/arena-layout.js";
import { readModel } from "../../../../shared/model-file/read-model.js";
import { writeModel } from "../../../../shared/model-file/write-model.js";
import type { Activation } from "../../../../shared/model-spec.js";
import { failureOf } from "../../../support/failure-of.js";
import { LAYER_MODELS, layerExample } from "../../../support/layer-examples.js";
import { plainForward } from "../../../support/plain-forward.js";
import { relativeDifference } from "../../../support/reference-mlp.js";
import { referencePass } from "../../../support/reference-network.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { tfjsFileHandler } from "../../../support/tfjs-file-handler.js";
import { tinyModel, tinyRegression } from "../../../support/trained-model.js";

const ROWS = [
  [0.1, -0.2, 0.3, 1.5],
  [-1, 2, -0.5, 0.25],
];

function packed({ slots, statistics }: ArenaLayout, arena: Float32Array): Float32Array {
  return Float32Array.from(
    [...slots, ...statistics].flatMap(({ offset, length }) => [...arena.subarray(offset, offset + length)]),
  );
}

describe("writeModel", () => {
  it("writes the three files and nothing beside them, and gives the weights' SHA-256", async () => {
    const parent = await temporaryDirectory();
    const model = tinyModel();
    const hash = await writeModel(join(parent, "model"), model);
    expect(await readdir(parent)).toEqual(["model"]);
    expect((await readdir(join(parent, "model"))).sort()).toEqual(["model.json", "model.safetensors", "weights.bin"]);
    expect(hash).toBe(createHash("sha256").update(model.weights).digest("hex"));
    expect(await readFile(join(parent, "model", "weights.bin"))).toEqual(Buffer.from(model.weights));
  });

  it.each(["linear", "sigmoid", "tanh", "relu", "softmax"] satisfies Activation[])(
    "loads with tf.loadLayersModel and predicts as the formulas say (hidden layer %s)",
    async (activation) => {
      const directory = join(await temporaryDirectory(), "model");
      const model = tinyModel(activation);
      await writeModel(directory, model);
      const loaded = await tf.loadLayersModel(tfjsFileHandler(join(directory, "model.json")));
      const predicted = loaded.predict(tf.tensor2d(ROWS)) as tf.Tensor;
      const rows = (await predicted.array()) as number[][];
      expect(rows.length).toBe(ROWS.length);
      for (const [index, row] of ROWS.entries()) {
        for (const [unit, expected] of plainForward(model, row).entries()) {
          expect(rows[index]?.[unit]).toBeCloseTo(expected, 5);
        }
      }
      loaded.dispose();
      predicted.dispose();
    },
  );

  it.each(LAYER_MODELS)(
    "writes a tfjs model of every layer that evaluates as the formulas say: %s",
    async (_, model) => {
      const directory = join(await temporaryDirectory(), "model");
      const given = layerExample(model, 4);
      const weights = new Uint8Array(packed(given.layout, given.parameters).buffer);
      const classNames = model.targets.kind === "class" ? ["a", "b", "c"] : null;
      const facts = { ...tinyModel().facts, model, classNames, transform: { kind: "none" } as const };
      await writeModel(directory, { facts, weights, version: "0.0.0-test" });
      const loaded = await tf.loadLayersModel(tfjsFileHandler(join(directory, "model.json")));
      const predicted = loaded.predict(
        tf.tensor(given.batch.x, [4, ...(model.inputShape ?? [model.inputs])]),
      ) as tf.Tensor;
      const arena = Float64Array.from(given.parameters);
      const { outputs } = referencePass({ model, layout: given.layout, seed: 0 }, arena, given.batch, null);
      const difference = relativeDifference(
        await predicted.data(),
        outputs.flatMap((row) => [...row]),
      );
      expect(difference).toBeLessThan(1e-5);
      loaded.dispose();
      predicted.dispose();
    },
  );

  it("hands tfjs our facts as userDefinedMetadata", async () => {
    const directory = join(await temporaryDirectory(), "model");
    await writeModel(directory, tinyModel());
    const loaded = await tf.loadLayersModel(tfjsFileHandler(join(directory, "model.json")));
    expect(loaded.getUserDefinedMetadata()).toMatchObject({
      ringstrasse: { jobId: "iris-1", seed: 6, labelColumn: 4, classNames: ["setosa", "versicolor", "virginica"] },
    });
    loaded.dispose();
  });

  it("keeps the names of features, where they are known", async () => {
    const directory = join(await temporaryDirectory(), "model");
    const { facts, ...model } = tinyModel();
    await writeModel(directory, { ...model, facts: { ...facts, featureNames: ["a", "b", "c", "d"] } });
    expect((await readModel(directory)).facts.featureNames).toEqual(["a", "b", "c", "d"]);
    await writeModel(directory, { ...model, facts });
    expect((await readModel(directory)).facts).not.toHaveProperty("featureNames");
  });

  it("replaces an earlier model whole", async () => {
    const parent = await temporaryDirectory();
    const directory = join(parent, "model");
    await writeModel(directory, tinyModel());
    const hash = await writeModel(directory, tinyRegression());
    expect((await readModel(directory)).facts.weightsSha256).toBe(hash);
    expect(await readdir(parent)).toEqual(["model"]);
  });

  it("refuses to replace a directory with other things in it, and leaves them alone", async () => {
    const directory = join(await temporaryDirectory(), "model");
    await mkdir(directory);
    await writeFile(join(directory, "thesis.tex"), "years of work");
    const failure = await failureOf(() => writeModel(directory, tinyModel()));
    expect(failure).toMatchObject({ code: "OUTPUT_UNWRITABLE", path: directory });
    expect(failure.message).toContain("thesis.tex");
    expect(await readdir(directory)).toEqual(["thesis.tex"]);
  });

  it("names the path when it is below a file, and leaves nothing behind", async () => {
    const parent = await temporaryDirectory();
    await writeFile(join(parent, "file"), "");
    const directory = join(parent, "file", "model");
    const failure = await failureOf(() => writeModel(directory, tinyModel()));
    expect(failure).toMatchObject({ code: "OUTPUT_UNWRITABLE", path: directory });
    expect(failure.message).toContain("a file, not a directory");
    expect(await readdir(parent)).toEqual(["file"]);
  });

  it("refuses weights that don't fit the model, and facts that contradict each other", async () => {
    const directory = join(await temporaryDirectory(), "model");
    const model = tinyModel();
    await expect(writeModel(directory, { ...model, weights: model.weights.subarray(4) })).rejects.toThrow(
      /168 bytes of weights for 43 float32/,
    );
    const names = { ...model.facts, featureNames: ["a", "b"] };
    await expect(writeModel(directory, { ...model, facts: names })).rejects.toThrow(/2 names for 4 inputs/);
    const facts = { ...model.facts, classNames: ["a", "b"] };
    await expect(writeModel(directory, { ...model, facts })).rejects.toThrow(/2 names for 3 classes/);
  });
});
