import { describe, expect, it } from "vitest";
import { layoutOf } from "../../../../shared/arena-layout.js";
import { layerWithShapes } from "../../../../shared/layer-shape.js";
import { probeInputs, probeModels } from "../../../../worker/engine/probe-models.js";
import { WasmEngine } from "../../../../worker/engine/wasm/wasm-engine.js";

/** Products of a step of dense layers: forward, and of the gradients of inputs and kernels. */
function productsOf(engine: string): { rows: number; columns: number; inner: number }[] {
  return probeModels(engine).flatMap(({ model, rows }) =>
    layerWithShapes(model).flatMap(({ layer, input }) => {
      if (layer.kind !== "dense") return [];
      const [inputs = 0, { units }] = [input[0], layer];
      return [
        { rows, columns: units, inner: inputs },
        { rows, columns: inputs, inner: units },
        { rows: inputs, columns: units, inner: rows },
      ];
    }),
  );
}

const kindsOf = (engine: string) =>
  new Set(probeModels(engine).flatMap(({ model }) => model.layers.map(({ kind }) => kind)));

describe("probeModels", () => {
  it.each(["tensorflow", "tensorflow-gpu"])("of %s have long products of several lengths", (engine) => {
    const long = productsOf(engine).filter(({ rows, columns, inner }) => inner >= 200 && Math.min(rows, columns) >= 48);
    const lengths = new Set(long.map(({ inner }) => inner));
    expect([...lengths].toSorted((a, b) => a - b)).toEqual([200, 300, 530, 784, 1100, 2048]);
  });

  it("of native engines have every kind of layer that computes with a library", () => {
    expect(kindsOf("tensorflow")).toEqual(
      new Set(["dense", "conv2d", "batchNorm", "activation", "maxPool", "avgPool", "flatten"]),
    );
  });

  it("of wasm are small: its bits don't depend on the processor", () => {
    expect(Math.max(...productsOf("wasm").flatMap(Object.values))).toBeLessThan(48);
  });

  it.each(probeModels("tensorflow").map((probed) => [probed.model.loss, probed] as const))(
    "lose nothing of what is computed: %s",
    async (_, probed) => {
      const layout = layoutOf(probed.model);
      await using engine = await WasmEngine.create(probed.model, layout);
      const { parameters, batch } = probeInputs(probed, layout);
      engine.loadParameters(parameters);
      const gradients = new Float32Array(layout.paddedLength);
      const { lossSum } = await engine.computeGradients(batch, { epoch: 0, step: 0, replica: 0 }, gradients);
      expect(lossSum).toSatisfy(Number.isFinite);
      for (const { name, offset, length } of layout.slots) {
        const values = gradients.subarray(offset, offset + length);
        expect(values.every(Number.isFinite), name).toBe(true);
        // Units that no row excites have none.
        expect(values.filter((value) => value !== 0).length, name).toBeGreaterThan(length / 2);
      }
    },
  );
});
