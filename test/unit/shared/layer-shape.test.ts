import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { layerShapes, layerWithShapes, windowAxis } from "../../../shared/layer-shape.js";
import { ModelSpecSchema, outputsOf, parametersOf, statisticsOf } from "../../../shared/model-spec.js";

const output = { kind: "dense", name: "out", units: 3, activation: "softmax", initialBias: 0 };
const conv = {
  kind: "conv2d",
  name: "conv",
  filters: 4,
  kernel: [3, 2],
  stride: [2, 1],
  padding: "valid",
  activation: "relu",
  initialBias: 0.5,
};
const pool = { kind: "maxPool", name: "pool", window: [2, 2], stride: [2, 2], padding: "same" };
const flatten = { kind: "flatten", name: "flat" };
const norm = { kind: "batchNorm", name: "norm", momentum: 0.9, epsilon: 1e-3 };
const rest = { loss: "softmaxCrossEntropy", targets: { kind: "class", classes: 3 } };

describe("shapes of layers", () => {
  it("follow from each other", () => {
    const layers = [conv, norm, pool, flatten, output];
    const model = ModelSpecSchema.parse({ inputs: 7 * 5 * 2, inputShape: [7, 5, 2], layers, ...rest });
    expect(layerShapes(model)).toEqual([[3, 4, 4], [3, 4, 4], [2, 2, 4], [16], [3]]);
    expect(outputsOf(model)).toBe(3);
    expect(parametersOf(model).map(({ name, shape }) => [name, shape])).toEqual([
      ["conv/kernel", [3, 2, 2, 4]],
      ["conv/bias", [4]],
      ["norm/gamma", [4]],
      ["norm/beta", [4]],
      ["out/kernel", [16, 3]],
      ["out/bias", [3]],
    ]);
    expect(parametersOf(model)[0]?.initial).toEqual({ kind: "glorotUniform", fanIn: 12, fanOut: 24 });
    expect(statisticsOf(model).map(({ name, layer, momentum }) => [name, layer, momentum])).toEqual([
      ["norm/moving_mean", 1, 0.9],
      ["norm/moving_variance", 1, 0.9],
    ]);
  });

  it.each([
    [
      "images of another size",
      { inputs: 9, inputShape: [2, 2, 2], layers: [flatten, output] },
      "inputShape",
      "2 × 2 × 2 are not 9 features",
    ],
    ["flat rows into a convolution", { inputs: 4, layers: [conv, output] }, "layers.0", "give the model an inputShape"],
    [
      "images into a dense layer",
      { inputs: 8, inputShape: [2, 2, 2], layers: [output] },
      "layers.0",
      "put a flatten layer before it",
    ],
    [
      "a window that is too large",
      { inputs: 8, inputShape: [2, 2, 2], layers: [conv, flatten, output] },
      "layers.0",
      "does not fit into 2 × 2",
    ],
    [
      "a last layer that is not dense",
      { inputs: 8, layers: [output, flatten] },
      "layers.1",
      "the last layer is flatten",
    ],
  ])("refuse %s", (_, model, path, message) => {
    const { error } = ModelSpecSchema.safeParse({ ...model, ...rest });
    expect(error?.issues[0]?.path.join(".")).toBe(path);
    expect(error?.issues[0]?.message).toContain(message);
  });

  it("grow by what shortcuts bring: flattened images, the rows themselves", () => {
    const shortcut = { ...output, name: "hidden", from: ["norm", "@input"] };
    const layers = [conv, norm, pool, flatten, { ...output, name: "first" }, shortcut, { ...output, from: ["first"] }];
    const model = ModelSpecSchema.parse({ inputs: 7 * 5 * 2, inputShape: [7, 5, 2], layers, ...rest });
    expect(layerWithShapes(model).map(({ input, shortcuts }) => [input, shortcuts])).toEqual([
      [[7, 5, 2], []],
      [[3, 4, 4], []],
      [[3, 4, 4], []],
      [[2, 2, 4], []],
      [[16], []],
      [[3 + 48 + 70], [1, -1]],
      [[3 + 3], [4]],
    ]);
    const kernel = parametersOf(model).find(({ name }) => name === "hidden/kernel");
    expect(kernel).toMatchObject({ shape: [121, 3], initial: { fanIn: 121, fanOut: 3 } });
  });

  it.each([
    [["nowhere"], "there is no layer nowhere before it"],
    [["out"], "there is no layer out before it"],
    [["b"], "b goes into it anyway"],
    [["a", "a"], "two shortcuts from a"],
    [["twin"], "several layers before it have the name twin"],
    [[], ">=1"],
  ])("refuse shortcuts from %j", (from, message) => {
    const hidden = ["twin", "twin", "a", "b"].map((name) => ({ ...output, name }));
    const model = { inputs: 3, layers: [...hidden, { ...output, from }], ...rest };
    expect(ModelSpecSchema.safeParse(model).error?.issues[0]?.message).toContain(message);
  });

  it("have windows that cover the padded axis and stay inside it", () => {
    const sizes = fc.tuple(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 9 }),
    );
    fc.assert(
      fc.property(sizes, ([size, window, stride]) => {
        const same = windowAxis(size, window, stride, "same");
        expect(same.positions).toBe(Math.ceil(size / stride));
        expect((same.positions - 1) * stride + window).toBeLessThanOrEqual(
          Math.max(size, size + same.before + same.after),
        );
        expect(same.after - same.before === 0 || same.after - same.before === 1).toBe(true);
        const valid = windowAxis(size, window, stride, "valid");
        if (window <= size) expect((valid.positions - 1) * stride + window).toBeLessThanOrEqual(size);
        if (window <= size) expect(valid.positions * stride + window).toBeGreaterThan(size);
      }),
    );
  });
});
