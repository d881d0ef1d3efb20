import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arenaLayout, blockPlan, blockSpan, hashTensors, layoutHash, slotAt } from "../../../shared/arena-layout.js";
import { type ModelSpec, parametersOf } from "../../../shared/model-spec.js";

const model: ModelSpec = {
  inputs: 4,
  layers: [
    { kind: "dense", name: "a", units: 3, activation: "tanh", initialBias: 0 },
    { kind: "dense", name: "b", units: 2, activation: "softmax", initialBias: 0 },
  ],
  loss: "softmaxCrossEntropy",
  targets: { kind: "class", classes: 2 },
};

describe("arenaLayout", () => {
  const layout = arenaLayout(parametersOf(model));

  it("puts parameters in layer order, kernel before bias, each at a multiple of 16 floats", () => {
    expect(layout.slots.map(({ name, offset, length }) => [name, offset, length])).toEqual([
      ["a/kernel", 0, 12],
      ["a/bias", 16, 3],
      ["b/kernel", 32, 6],
      ["b/bias", 48, 2],
    ]);
    expect(layout).toMatchObject({ paddedLength: 64, parameterCount: 23 });
  });

  it("finds the tensor of an element, and none in padding", () => {
    expect(slotAt(layout, 37)?.name).toBe("b/kernel");
    expect(slotAt(layout, 38)).toBeNull();
  });

  it("leaves padding out of the hash, and nothing else", () => {
    const arena = Float32Array.from({ length: 64 }, (_, index) => index);
    const hash = hashTensors(layout, arena);
    arena[13] = 1e9;
    expect(hashTensors(layout, arena)).toBe(hash);
    arena[12 - 1] = 1e9;
    expect(hashTensors(layout, arena)).not.toBe(hash);
  });
});

describe("blockPlan", () => {
  it("follows min(65536, max(16, ceil16(⌈P/R⌉)))", () => {
    expect(blockPlan(64, 4)).toEqual({ blockLength: 16, blockCount: 4, paddedLength: 64 });
    expect(blockPlan(16, 8)).toEqual({ blockLength: 16, blockCount: 1, paddedLength: 16 });
    expect(blockPlan(1000 * 16, 3)).toMatchObject({ blockLength: 5344, blockCount: 3 });
    expect(blockPlan(1 << 24, 2)).toMatchObject({ blockLength: 65536, blockCount: 256 });
  });

  it("covers the arena without gap or overlap, for any length and R", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20_000 }), fc.integer({ min: 1, max: 64 }), (sixteenths, replicas) => {
        const plan = blockPlan(sixteenths * 16, replicas);
        let next = 0;
        for (let index = 0; index < plan.blockCount; index++) {
          const { from, to } = blockSpan(plan, index);
          expect(from).toBe(next);
          expect((to - from) % 16).toBe(0);
          expect(to).toBeGreaterThan(from);
          next = to;
        }
        expect(next).toBe(plan.paddedLength);
      }),
    );
  });

  it("has another hash for another cut or another tensor", () => {
    const layout = arenaLayout(parametersOf(model));
    const hashes = [1, 2].map((replicas) => layoutHash(layout, blockPlan(layout.paddedLength, replicas)));
    expect(new Set(hashes).size).toBe(2);
  });
});
