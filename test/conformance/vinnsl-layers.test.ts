import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { networkModel } from "../../coordinator/vinnsl/network-model.js";
import { readNetwork } from "../../coordinator/vinnsl/read-network.js";
import { summariseNetwork } from "../../coordinator/vinnsl/summarise-network.js";
import { layerWithShapes } from "../../shared/layer-shape.js";
import { type ModelSpec, ModelSpecSchema } from "../../shared/model-spec.js";
import type { CreateEngine } from "../../worker/engine/engine.js";
import { compileStepGraph } from "../../worker/engine/graph/step-graph.js";
import { tensorflowEngine } from "../../worker/engine/tensorflow/tensorflow-engine.js";
import { WasmEngine } from "../../worker/engine/wasm/wasm-engine.js";
import { anyNetwork } from "../support/any-network.js";
import { layerExample } from "../support/layer-examples.js";
import { nativeEngine } from "../support/native-engine.js";
import { relativeDifference } from "../support/reference-mlp.js";
import { referencePass } from "../support/reference-network.js";

const location = await nativeEngine();
const ROWS = 5;
const POSITION = { epoch: 1, step: 3, replica: 0 };

function read(xml: string): { readonly model: ModelSpec; readonly totalParameters: number } {
  const definition = readNetwork(new TextEncoder().encode(xml), "any.xml");
  expect(definition.warnings).toEqual([]);
  const { totalParameters } = summariseNetwork(definition);
  return { model: ModelSpecSchema.parse(networkModel(definition, "any.xml")), totalParameters };
}

/** What an engine makes of a network: predictions, the loss of a step, how long the gradients are. */
async function computed(create: CreateEngine, model: ModelSpec) {
  const { layout, parameters, batch } = layerExample(model, ROWS);
  await using engine = await create(model, layout, { seed: 4 });
  engine.loadParameters(parameters);
  const into = new Float32Array(layout.paddedLength);
  const { lossSum } = await engine.computeGradients(batch, POSITION, into);
  return { outputs: await engine.predict(batch.x, batch.count), lossSum, allFinite: into.every(Number.isFinite) };
}

async function expectAgreement(create: CreateEngine, xml: string): Promise<void> {
  const { model } = read(xml);
  const { layout, parameters, batch } = layerExample(model, ROWS);
  const [reference, arena] = [{ model, layout, seed: 4 }, Float64Array.from(parameters)];
  const { outputs, lossSum, allFinite } = await computed(create, model);
  const expected = referencePass(reference, arena, batch, null).outputs.flatMap((row) => [...row]);
  expect(outputs.length).toBe(3 * ROWS);
  expect(relativeDifference(outputs, expected)).toBeLessThan(1e-3);
  expect(Math.abs(lossSum / referencePass(reference, arena, batch, POSITION).lossSum - 1)).toBeLessThan(1e-2);
  expect(allFinite).toBe(true);
}

describe("layers that a document may ask for", () => {
  it("have shapes that the step graph's operations agree with, and as many parameters as the summary says", () => {
    fc.assert(
      fc.property(anyNetwork, ({ xml, blocks }) => {
        const { model, totalParameters } = read(xml);
        const { layout } = layerExample(model, 1);
        expect(layout.slots.reduce((sum, { length }) => sum + length, 0)).toBe(totalParameters);
        expect(layerWithShapes(model).length).toBeGreaterThan(blocks);
        // Every operation checks the shapes of its inputs.
        expect(compileStepGraph(model, layout).outputs.shape).toEqual([-1, 3]);
      }),
      { numRuns: 200 },
    );
  });

  it("compute in engine wasm what the formulas say", async () => {
    const property = fc.asyncProperty(anyNetwork, ({ xml }) => expectAgreement(WasmEngine.create, xml));
    await fc.assert(property, { numRuns: 100 });
  });

  it.skipIf(location === null)(
    "compute in engine tensorflow what the formulas say (needs ringstrasse engine install cpu)",
    async () => {
      if (location === null) return;
      const create = tensorflowEngine(location);
      await fc.assert(
        fc.asyncProperty(anyNetwork, ({ xml }) => expectAgreement(create, xml)),
        { numRuns: 30 },
      );
    },
  );
});
