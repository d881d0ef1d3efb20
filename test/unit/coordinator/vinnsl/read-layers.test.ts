import { describe, expect, it } from "vitest";
import { networkModel } from "../../../../coordinator/vinnsl/network-model.js";
import { readNetwork } from "../../../../coordinator/vinnsl/read-network.js";
import { ModelSpecSchema } from "../../../../shared/model-spec.js";
import { blockXml, definitionXml, parametersXml } from "./definition-xml.js";
import { failureOf } from "./failure-of.js";

type Own = Readonly<Record<string, string>>;

const S = "/definition/structure";
const input = (size: number | string, dimension = "") =>
  blockXml("input", "Input1", size, dimension === "" ? "" : `<dimension>${dimension}</dimension>`);
const hidden = (id: string, size: number | string | null, own: Own = {}, more = "") => {
  const xml = blockXml("hidden", id, size ?? "", `${Object.keys(own).length === 0 ? "" : parametersXml(own)}${more}`);
  return size === null ? xml.replace("<size></size>", "") : xml;
};
const flatten = hidden("Flatten", 1);
const output = blockXml("output", "Output1", 3);

function read(blocks: readonly string[], parameters = "") {
  const structure = `<structure>${blocks.join("\n")}</structure>`;
  return readNetwork(new TextEncoder().encode(definitionXml({ structure, parameters })), "net.xml");
}

function refusal(...blocks: readonly string[]) {
  return failureOf(() => read(blocks));
}

/** The layers that train. */
function layersOf(blocks: readonly string[], parameters = "") {
  return ModelSpecSchema.parse(networkModel(read(blocks, parameters), "net.xml")).layers;
}

describe("layers by their blocks' IDs", () => {
  it.each([
    ...["Convolutional1", "CONVOLUTION", "conv2", "Conv2D_1", "Convolutional Layer 3"],
    // What follows the name is free.
    ...["ConvLayer1", "Conv_a", "Conv3x3", "Conv2D_edges", "Conv1_relu", "conv-block-3-dark", "Convertor"],
  ])("%s: a convolution", (id) => {
    expect(layersOf([input(64), hidden(id, 5), flatten, output])[0]).toMatchObject({
      kind: "conv2d",
      filters: 5,
      kernel: [3, 3],
      stride: [1, 1],
      padding: "valid",
      activation: "relu",
    });
  });

  it.each([
    ["MaxPooling1", "maxPool", 2],
    ["max_pool", "maxPool", 3],
    ["AvgPooling", "avgPool", 2],
    ["Average-Pooling7", "avgPool", 4],
  ] as const)("%s: %s of a window of its size", (id, kind, size) => {
    const layer = layersOf([input(64), hidden(id, size), flatten, output])[0];
    expect(layer).toMatchObject({ kind, window: [size, size], stride: [size, size], padding: "valid" });
  });

  it("DropOut1: its size in per cent; Flatten and BatchNormalization: whatever their size", () => {
    const layers = layersOf([input(8), hidden("DropOut1", 25), hidden("BatchNormalization1", 8), flatten, output]);
    expect(layers.slice(0, 3)).toEqual([
      { kind: "dropout", name: "DropOut1", rate: 0.25 },
      { kind: "batchNorm", name: "BatchNormalization1", momentum: 0.9, epsilon: 1e-3 },
      { kind: "flatten", name: "Flatten" },
    ]);
  });

  it("says where a size has no effect", () => {
    expect(read([input(8), hidden("Flatten1", 7), output]).warnings).toEqual([
      expect.stringMatching(/^\/definition\/structure\/hidden\/size: the size 7 .* flatten has no effect$/),
    ]);
  });

  it.each(["Flattery", "Activation1", "Pool", "Denselayer1"])("%s: dense", (id) => {
    expect(layersOf([input(4), hidden(id, 2), output])[0]).toMatchObject({
      kind: id === "Flattery" ? "dense" : "dense",
    });
  });

  it("refuses an input or output that asks for a layer, but for the published input Convolutional1", () => {
    expect(refusal(blockXml("input", "MaxPooling1", 4), output)).toMatchObject({
      code: "DOCUMENT_UNSUPPORTED",
      elementPath: `${S}/input/ID`,
      supported: expect.arrayContaining([expect.stringContaining("Input1")]),
    });
    for (const id of ["Convolutional2", "DropOut1", "Flatten"]) {
      expect(refusal(input(4), blockXml("output", id, 3))).toMatchObject({
        code: "DOCUMENT_UNSUPPORTED",
        elementPath: `${S}/output/ID`,
        problem: expect.stringContaining("not dense"),
      });
    }
    const network = read([blockXml("input", "Convolutional1", 4), output]);
    expect(network.warnings).toEqual([expect.stringContaining("only passes its rows on")]);
  });
});

describe("layers by their blocks' parameters", () => {
  it("of a convolution", () => {
    const own = {
      Type: "Convolutional",
      filters: "6",
      kernel_size: "2x4",
      strides: "1,2",
      Padding: "SAME",
      l2: "1e-3",
    };
    const layer = layersOf([
      input(64, "8x8"),
      hidden("LSTM", null, { ...own, activation: "TanH" }),
      flatten,
      output,
    ])[0];
    expect(layer).toEqual({
      kind: "conv2d", name: "LSTM", filters: 6, kernel: [2, 4], stride: [1, 2], padding: "same", activation: "tanh",
      initialBias: 0, l2: 1e-3,
    }); // biome-ignore format: one line per few fields
  });

  it("of pooling, dropout, normalisation, activation and flattening", () => {
    const blocks = [
      hidden("A", null, { type: "max pooling", window: "2x3", stride: "1", padding: "same" }),
      hidden("B", 1, { type: "avgpool", pool_size: "2" }),
      hidden("C", null, { type: "dropout", rate: "0.125" }),
      hidden("D", null, { type: "batch_normalisation", momentum: "0.5", epsilon: "0.01" }),
      hidden("E", null, { type: "activation", activationfunction: "sigmoid" }),
      hidden("F", null, { type: "flatten" }),
      hidden("Dropout", 4, { type: "dense" }),
    ];
    expect(layersOf([input(64), ...blocks, output]).slice(0, -1)).toEqual([
      { kind: "maxPool", name: "A", window: [2, 3], stride: [1, 1], padding: "same" },
      { kind: "avgPool", name: "B", window: [2, 2], stride: [2, 2], padding: "valid" },
      { kind: "dropout", name: "C", rate: 0.125 },
      { kind: "batchNorm", name: "D", momentum: 0.5, epsilon: 0.01 },
      { kind: "activation", name: "E", activation: "sigmoid" },
      { kind: "flatten", name: "F" },
      { kind: "dense", name: "Dropout", units: 4, activation: "sigmoid", initialBias: 0 },
    ]);
  });

  it("batch normalisation of a block stands between its weights and its activation", () => {
    const normal = { batchnormalization: "true", momentum: "0.8" };
    const blocks = [
      hidden("Conv1", 2, normal),
      flatten,
      hidden("Dense1", 4, { ...normal, activation: "linear" }),
      hidden("Dense1_norm", 2),
    ];
    expect(layersOf([input(25), ...blocks, output]).map(({ kind, name }) => `${name} ${kind}`)).toEqual([
      "Conv1 conv2d",
      "Conv1_norm batchNorm",
      "Conv1_activation activation",
      "Flatten flatten",
      "Dense1 dense",
      "Dense1_norm_2 batchNorm",
      "Dense1_norm dense",
      "Output1 dense",
    ]);
    const shortcut =
      "<connections><shortcuts><fromneuron>Conv1</fromneuron><toneuron>Output1</toneuron></shortcuts></connections>";
    const last = layersOf([input(25), ...blocks, output, shortcut]).at(-1);
    expect(last).toMatchObject({ from: ["Conv1_activation"] });
  });

  it("shortcuts name layers, and the rows; l2 stands at the output, too", () => {
    const shortcuts = ["Input1", "A"].map(
      (id) => `<shortcuts><fromneuron>${id}</fromneuron><toneuron>Output1</toneuron></shortcuts>`,
    );
    const last = blockXml("output", "Output1", 3, parametersXml({ l2: "0.5" }));
    const blocks = [input(4), hidden("A", 2), hidden("B", 2), last, `<connections>${shortcuts.join("")}</connections>`];
    expect(layersOf(blocks).at(-1)).toMatchObject({ from: ["@input", "A"], l2: 0.5 });
  });

  it("activations of networks with convolutions are relu where the document doesn't say, else sigmoid", () => {
    const kinds = (blocks: readonly string[], parameters = "") =>
      layersOf(blocks, parameters).flatMap((layer) => ("activation" in layer ? [layer.activation] : []));
    const cnn = [input(64), hidden("Conv1", 2), flatten, hidden("A", 2), output];
    expect(kinds(cnn)).toEqual(["relu", "relu", "softmax"]);
    expect(kinds(cnn, parametersXml({ activationfunction: "tanh" }))).toEqual(["tanh", "tanh", "softmax"]);
    expect(kinds([input(64), flatten, hidden("A", 2), output])).toEqual(["sigmoid", "softmax"]);
  });

  it("biasInput is the first weighted layer's, biasHidden the others'", () => {
    const parameters = parametersXml({ biasInput: "0.5", biasHidden: "0.25" });
    const layers = layersOf([input(64), hidden("MaxPooling", 2), hidden("Conv1", 2), flatten, output], parameters);
    const biases = layers.flatMap((layer) => ("initialBias" in layer ? [layer.initialBias] : []));
    expect(biases).toEqual([0.5, 0.25]);
  });

  it.each([
    ["an unknown type", "B", 2, { type: "attention" }, "UNSUPPORTED", "type of block", "convolution"],
    ["an unknown parameter", "B", 2, { units: "3" }, "UNSUPPORTED", 'unknown parameter "units"', "kernel"],
    ["a kernel of a dense block", "B", 2, { kernel: "3" }, "UNSUPPORTED", "has no parameter", "activationfunction"],
    ["an activation of pooling", "MaxPool", 2, { activation: "relu" }, "UNSUPPORTED", "has no parameter", "window"],
    ["a rate of a convolution", "Conv", 2, { rate: "0.5" }, "UNSUPPORTED", "has no parameter", "filters"],
    ["another padding", "Conv", 2, { padding: "reflect" }, "UNSUPPORTED", "unknown padding", "same"],
    [
      "an activation that there is none of",
      "Conv",
      2,
      { activation: "swish" },
      "UNSUPPORTED",
      "unknown activation",
      "relu",
    ],
    ["a kernel of three sides", "Conv", 2, { kernel: "3x3x3" }, "INVALID", "no height and width", "3x3"],
    ["a kernel of nothing", "Conv", 2, { kernel: "0x3" }, "INVALID", "no height and width", "3x3"],
    ["a stride in words", "Conv", 2, { stride: "two" }, "INVALID", "no height and width", "3x3"],
    ["filters beside another size", "Conv", 2, { filters: "3" }, "INVALID", "filters is 3", "agree"],
    ["a window beside another size", "MaxPool", 2, { window: "3x3" }, "INVALID", "window is 3x3", "agree"],
    ["a rate beside another size", "DropOut", 20, { rate: "0.5" }, "INVALID", "rate is 0.5", "agree"],
    ["a rate of 1", "DropOut", 1, { rate: "1" }, "INVALID", "out of range", "less than 1"],
    ["a negative l2", "B", 2, { l2: "-1" }, "INVALID", "out of range", "at least 0"],
    ["a flag that is none", "B", 2, { batchnorm: "yes" }, "INVALID", '"yes"', "true or false"],
    ["a momentum without normalisation", "B", 2, { momentum: "0.9" }, "INVALID", "batch normalisation", "true"],
    ["an epsilon of 0", "BatchNorm", 1, { epsilon: "0" }, "INVALID", "out of range", "greater than 0"],
    ["two types", "B", 2, { type: "dense", layertype: "flatten" }, "INVALID", "both mean the same", "Keep one"],
  ] as const)("refuses %s", (...[, id, size, own, code, problem, supported]) => {
    const failure = refusal(input(64), hidden(id, size, own), flatten, output);
    expect(failure).toMatchObject({
      code: `DOCUMENT_${code}`,
      line: expect.any(Number),
      elementPath: expect.stringMatching(/^\/definition\/structure\/hidden\[1\]\/parameters\/valueparameter/),
      problem: expect.stringContaining(problem),
    });
    expect(JSON.stringify(failure)).toContain(supported);
  });

  it.each([
    ["Conv", null, "no filters"],
    ["DropOut", null, "no rate"],
    ["DropOut", 100, "out of range"],
    ["MaxPool", 0, "out of range"],
  ])("refuses %s of the size %s", (id, size, problem) => {
    expect(refusal(input(64), hidden(id, size), flatten, output)).toMatchObject({
      code: "DOCUMENT_INVALID",
      elementPath: expect.stringContaining(`${S}/hidden[1]`),
      problem: expect.stringContaining(problem),
    });
  });

  it("refuses parameters of the input and normalisation of the output", () => {
    const first = blockXml("input", "Input1", 4, parametersXml({ kernel: "3" }));
    expect(refusal(first, output)).toMatchObject({
      elementPath: `${S}/input/parameters/valueparameter`,
      supported: ["activationfunction"],
    });
    const last = blockXml("output", "Output1", 3, parametersXml({ batchnorm: "true" }));
    expect(refusal(input(4), last)).toMatchObject({
      elementPath: `${S}/output/parameters/valueparameter`,
      supported: ["type", "activationfunction", "l2"],
    });
  });
});

describe("images", () => {
  const conv = hidden("Conv1", 2);

  it.each([
    [64, "8x8x1", [8, 8, 1]],
    [64, "8,8,1", [8, 8, 1]],
    [64, " 8 × 8 ", [8, 8, 1]],
    [64, "4 4 4", [4, 4, 4]],
    [64, "8", [8, 8, 1]],
    [60, "5*4*3", [5, 4, 3]],
  ])("of the size %d and dimension %j are %j", (size, dimension, image) => {
    const network = read([input(size, dimension), conv, flatten, output]);
    expect(network.input).toMatchObject({ size, image });
    expect(network.warnings).toEqual([]);
    expect(networkModel(network, null)).toMatchObject({ inputs: size, inputShape: image });
  });

  it("are square and grey where the dimension doesn't say and a convolution comes first, which is told", () => {
    for (const dimension of ["", "1", "64"]) {
      const network = read([input(64, dimension), hidden("DropOut", 10), conv, flatten, output]);
      expect(network.input.image).toEqual([8, 8, 1]);
      expect(network.warnings).toEqual([expect.stringMatching(/^\/definition\/structure\/input: .*8x8x1 is taken$/)]);
    }
    expect(read([input(64), hidden("A", 2), output]).input.image).toBeUndefined();
    expect(refusal(input(60), conv, flatten, output)).toMatchObject({
      code: "DOCUMENT_INVALID",
      elementPath: `${S}/input`,
      problem: expect.stringContaining("no square"),
      remedy: expect.stringContaining("28x28x1"),
    });
  });

  it.each([
    ["another product", "8x8x3", "INVALID", "192 numbers"],
    ["four sides", "2x2x4x4", "INVALID", "no image"],
    ["nothing", "0x64", "INVALID", "not a number"],
    ["words", "wide", "INVALID", "not a number"],
    ["a side that doesn't fit", "7", "UNSUPPORTED", "dimension is 7"],
  ])("refuse a dimension of %s", (_, dimension, code, problem) => {
    const failure = refusal(input(64, dimension), conv, flatten, output);
    expect(failure).toMatchObject({
      code: `DOCUMENT_${code}`,
      elementPath: `${S}/input/dimension`,
      problem: expect.stringContaining(problem),
    });
  });

  it.each([
    ["images into a dense block", [conv, hidden("A", 2)], 2, "takes flat rows", "Flatten"],
    ["flat rows into a convolution", [flatten, conv], 2, "takes images", "before the first"],
    ["flat rows into pooling", [conv, flatten, hidden("MaxPool", 2)], 3, "takes images", "before the first"],
    ["a window larger than its image", [conv, hidden("MaxPool", 7)], 2, "does not fit into 6 × 6", "smaller"],
  ])("refuse %s", (...[, blocks, at, problem, remedy]) => {
    expect(refusal(input(64, "8x8"), ...blocks, hidden("Z", 2), output)).toMatchObject({
      code: "DOCUMENT_INVALID",
      elementPath: `${S}/hidden[${at}]`,
      problem: expect.stringContaining(problem),
      remedy: expect.stringContaining(remedy),
      line: expect.any(Number),
    });
  });

  it("refuse images into the output", () => {
    expect(refusal(input(64, "8x8"), conv, output)).toMatchObject({
      elementPath: `${S}/output`,
      remedy: expect.stringContaining("Flatten"),
    });
  });

  it("a hidden block's dimension is 1, its size, or what comes out", () => {
    const dims = (dimension: string) => [
      input(64, "8x8"),
      hidden("Conv1", 2, {}, `<dimension>${dimension}</dimension>`),
      flatten,
      output,
    ];
    for (const dimension of ["1", "2", "6x6x2", "72"]) expect(read(dims(dimension)).hidden[0]?.size).toBe(72);
    for (const dimension of ["6x6", "3"]) {
      expect(refusal(...dims(dimension))).toMatchObject({
        code: "DOCUMENT_INVALID",
        elementPath: `${S}/hidden[1]/dimension`,
        problem: expect.stringContaining("6 × 6 × 2 comes out"),
      });
    }
  });

  it("refuse rows that no memory holds", () => {
    const wide = hidden("Conv1", 1_000_000, { padding: "same" });
    expect(refusal(input(10_000, "100x100"), wide, flatten, output)).toMatchObject({
      code: "DOCUMENT_UNSUPPORTED",
      elementPath: `${S}/hidden[1]`,
      supported: ["at most 134217728 numbers in a row"],
    });
  });
});
