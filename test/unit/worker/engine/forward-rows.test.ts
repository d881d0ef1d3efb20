import { describe, expect, it } from "vitest";
import type { LayerSpec } from "../../../../shared/model-spec.js";
import { forwardRowBytes, forwardRows } from "../../../../worker/engine/forward-rows.js";

function dense(name: string, units: number): LayerSpec {
  return { kind: "dense", name, units, activation: "relu", initialBias: 0 };
}

function convolution(name: string, filters: number): LayerSpec {
  const [kernel, stride] = [
    [3, 3],
    [1, 1],
  ] as [[number, number], [number, number]];
  return { kind: "conv2d", name, filters, kernel, stride, padding: "same", activation: "relu", initialBias: 0 };
}

describe("forwardRows", () => {
  it("is 1024 for networks of ordinary size", () => {
    expect(forwardRows({ inputs: 4, layers: [dense("a", 10), dense("b", 3)] })).toBe(1024);
    expect(forwardRows({ inputs: 784, layers: [dense("a", 512), dense("b", 10)] })).toBe(1024);
  });

  it("falls with what all layers keep", () => {
    const flatten: LayerSpec = { kind: "flatten", name: "f" };
    const layers = [convolution("a", 8), convolution("b", 8), flatten, dense("c", 10)];
    const images = { inputs: 96 * 96 * 3, inputShape: [96, 96, 3] as [number, number, number], layers };
    const rowBytes = 4 * 96 * 96 * (3 + 2 * 8 + 2 * 8 + 8) + 4 * 2 * 10;
    expect(forwardRowBytes(images)).toBe(rowBytes);
    expect(forwardRows(images)).toBe(Math.floor((256 * 2 ** 20) / rowBytes));
  });

  it("counts what shortcuts join", () => {
    const layers = [dense("a", 5), { ...dense("b", 3), from: ["@input"] } as LayerSpec];
    expect(forwardRowBytes({ inputs: 4, layers })).toBe(4 * (4 + 2 * 5 + (5 + 4) + 2 * 3));
  });

  it("falls with what has to be computed, to one row at least", () => {
    expect(forwardRows({ inputs: 20_000, layers: [dense("a", 20_000)] })).toBe(20);
    expect(forwardRows({ inputs: 200_000, layers: [dense("a", 200_000)] })).toBe(1);
  });
});
