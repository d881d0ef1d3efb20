import { describe, expect, it } from "vitest";
import { arenaLayout, hashTensors } from "../../../../shared/arena-layout.js";
import { type ModelSpec, parametersOf } from "../../../../shared/model-spec.js";
import { writeInitialParameters } from "../../../../worker/engine/initial-parameters.js";
import { denseLayers } from "../../../support/reference-mlp.js";
import { network } from "../../../support/tiny-networks.js";

const OPTIONS = {
  inputs: 40,
  hidden: [50, 30],
  hiddenActivation: "tanh",
  outputs: 3,
  lastActivation: "softmax",
  loss: "softmaxCrossEntropy",
  targets: "class",
} as const;

function initial(model: ModelSpec, seed: number): { arena: Float32Array; layout: ReturnType<typeof arenaLayout> } {
  const layout = arenaLayout(parametersOf(model));
  const arena = new Float32Array(layout.paddedLength).fill(Number.NaN);
  writeInitialParameters(layout, seed, arena);
  return { arena, layout };
}

describe("initial parameters", () => {
  it("are Glorot-uniform kernels, constant biases and zero padding", () => {
    const model = network(OPTIONS);
    denseLayers(model)[1]!.initialBias = -0.25;
    const { arena, layout } = initial(model, 6);
    const used = new Set<number>();
    for (const { offset, length, initial: start, name } of layout.slots) {
      const values = arena.subarray(offset, offset + length);
      for (let i = offset; i < offset + length; i++) used.add(i);
      if (start.kind === "constant") {
        expect(values.every((value) => value === start.value)).toBe(true);
        expect(start.value).toBe(name === "hidden1/bias" ? -0.25 : 0);
        continue;
      }
      const limit = Math.sqrt(6 / (start.fanIn + start.fanOut));
      expect(Math.max(...values)).toBeLessThanOrEqual(Math.fround(limit));
      expect(Math.min(...values)).toBeGreaterThanOrEqual(Math.fround(-limit));
      const variance = values.reduce((sum, value) => sum + value ** 2, 0) / length;
      // Six standard errors of the sample variance of a uniform distribution.
      expect(Math.abs(variance / (limit ** 2 / 3) - 1)).toBeLessThan(6 * Math.sqrt(0.8 / length));
      expect(new Set(values).size).toBeGreaterThan(0.99 * length);
    }
    expect(arena.filter((_, i) => !used.has(i)).every((value) => value === 0)).toBe(true);
  });

  it("depend on seed and layer alone", () => {
    const model = network(OPTIONS);
    const [a, b, c] = [initial(model, 6), initial(model, 6), initial(model, 7)];
    expect(a.arena).toEqual(b.arena);
    expect(hashTensors(a.layout, a.arena)).not.toBe(hashTensors(c.layout, c.arena));
    const deeper = initial(network({ ...OPTIONS, hidden: [50, 30, 9] }), 6);
    const first = (of: typeof a): Float32Array => of.arena.subarray(0, 40 * 50);
    expect(first(deeper)).toEqual(first(a));
    const secondKernel = (of: typeof a): Float32Array => {
      const { offset, length } = of.layout.slots[2]!;
      return of.arena.subarray(offset, offset + length);
    };
    expect(secondKernel(deeper)).toEqual(secondKernel(a));
    expect(secondKernel(a).subarray(0, 10)).not.toEqual(first(a).subarray(0, 10));
  });

  it("refuse an arena of another length", () => {
    const layout = arenaLayout(parametersOf(network(OPTIONS)));
    expect(() => writeInitialParameters(layout, 1, new Float32Array(16))).toThrow(/16 floats, the layout \d+/);
  });
});
