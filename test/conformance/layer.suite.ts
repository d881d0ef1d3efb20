import { describe, expect, it } from "vitest";
import { hashTensors } from "../../shared/arena-layout.js";
import type { CreateEngine } from "../../worker/engine/engine.js";
import { LAYER_MODELS, layerExample } from "../support/layer-examples.js";
import { relativeDifference } from "../support/reference-mlp.js";
import { differenceGradients, referencePass } from "../support/reference-network.js";

const POSITION = { epoch: 2, step: 5, replica: 1 };
const SEED = 11;

/** What every engine must do with every kind of layer. `tolerance`: ‖Δ‖/‖·‖ of each tensor against a float64 reference. */
export function layerSuite(name: string, { create, tolerance }: { create: CreateEngine; tolerance: number }): void {
  describe(`engine ${name}: layers`, () => {
    it.each(LAYER_MODELS)("%s: gradients are the slopes of a float64 loss", async (_, model) => {
      const { layout, parameters, batch } = layerExample(model, 6);
      await using engine = await create(model, layout, { seed: SEED });
      engine.loadParameters(parameters);
      const arena = new Float32Array(layout.paddedLength).fill(42);
      const sums = await engine.computeGradients(batch, POSITION, arena);
      const reference = { model, layout, seed: SEED };
      const pass = referencePass(reference, Float64Array.from(parameters), batch, POSITION);
      expect(Math.abs(sums.lossSum / pass.lossSum - 1)).toBeLessThan(tolerance);
      const slopes = differenceGradients(reference, parameters, batch, POSITION);
      for (const { name: tensor, offset, length } of layout.slots) {
        const [got, expected] = [arena, slopes].map((all) => all.subarray(offset, offset + length));
        // A gradient that vanishes by its nature (a bias in front of a normalisation) is compared absolutely.
        const norm = Math.hypot(...expected!);
        const difference = relativeDifference(got!, expected!) * (norm || 1);
        if (!(difference < tolerance * Math.max(norm, 0.1)))
          expect.fail(`${tensor} differs by ${difference} of ${norm}`);
      }
      for (const [index, { name: tensor, offset, length }] of layout.statistics.entries()) {
        const difference = relativeDifference(arena.subarray(offset, offset + length), pass.statistics[index]!);
        if (!(difference < tolerance)) expect.fail(`${tensor} differs by ${difference}`);
      }
    });

    it.each(LAYER_MODELS)("%s: evaluation and prediction use running statistics and drop nothing", async (_, model) => {
      const { layout, parameters, batch } = layerExample(model, 9);
      await using engine = await create(model, layout, { seed: SEED });
      engine.loadParameters(parameters);
      const pass = referencePass({ model, layout, seed: SEED }, Float64Array.from(parameters), batch, null);
      const { lossSum, count } = await engine.evaluate(batch);
      expect(count).toBe(9);
      expect(Math.abs(lossSum / pass.lossSum - 1)).toBeLessThan(tolerance);
      const predicted = await engine.predict(batch.x, batch.count);
      expect(
        relativeDifference(
          predicted,
          pass.outputs.flatMap((row) => [...row]),
        ),
      ).toBeLessThan(tolerance);
    });

    it.each(LAYER_MODELS)("%s: the same bits from another engine, and any batch size", async (_, model) => {
      const hashes = new Set<string>();
      for (let repeat = 0; repeat < 2; repeat++) {
        const { layout, parameters, batch } = layerExample(model, 13);
        await using engine = await create(model, layout, { seed: SEED });
        engine.loadParameters(parameters);
        const arena = new Float32Array(layout.paddedLength);
        const one = layerExample(model, 1).batch;
        if (repeat === 1) await engine.computeGradients(one, POSITION, arena);
        await engine.computeGradients(batch, POSITION, arena);
        hashes.add(hashTensors(layout, arena));
      }
      expect(hashes.size).toBe(1);
    });

    it("drops other inputs in another step, for another replica and for another seed", async () => {
      const model = LAYER_MODELS.find(([title]) => title === "dropout")![1];
      const { layout, parameters, batch } = layerExample(model, 8);
      const losses = new Set<number>();
      for (const [seed, position] of [
        [SEED, POSITION],
        [SEED, { ...POSITION, step: 6 }],
        [SEED, { ...POSITION, replica: 0 }],
        [SEED + 1, POSITION],
        [SEED, POSITION],
      ] as const) {
        await using engine = await create(model, layout, { seed });
        engine.loadParameters(parameters);
        losses.add((await engine.computeGradients(batch, position, new Float32Array(layout.paddedLength))).lossSum);
      }
      expect(losses.size).toBe(4);
    });
  });
}
