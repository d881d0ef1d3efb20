import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { settleJob } from "../../../../../coordinator/job/job-settings.js";
import { toDl4j } from "../../../../../coordinator/vinnsl/dl4j/to-dl4j.js";
import { readNetwork } from "../../../../../coordinator/vinnsl/read-network.js";
import {
  type Activation,
  ActivationSchema,
  type Loss,
  type ModelSpec,
  ModelSpecSchema,
  type OptimizerSpec,
} from "../../../../../shared/model-spec.js";
import { failureOf } from "../failure-of.js";

const golden: unknown = JSON.parse(
  readFileSync(new URL("../../../../golden/dl4j/multi-layer-configurations.json", import.meta.url), "utf8"),
);

function model(hidden: Activation, loss: Loss, last: Activation, outputs = 3): ModelSpec {
  return {
    inputs: 4,
    layers: [
      { kind: "dense", name: "Hidden1", units: 3, activation: hidden, initialBias: 0.5 },
      { kind: "dense", name: "Output1", units: outputs, activation: last, initialBias: 0 },
    ],
    loss,
    targets: { kind: "values", outputs },
  };
}

const sgd: OptimizerSpec = { kind: "sgd", learningRate: 0.1 };
const confsOf = (spec: ModelSpec, optimizer: OptimizerSpec = sgd) =>
  toDl4j({ model: spec, optimizer, seed: 6 }).configuration.confs;

describe("DL4J transformation", () => {
  it.each([
    ["sgd", model("tanh", "softmaxCrossEntropy", "softmax"), sgd],
    ["nesterov", model("relu", "meanSquaredError", "linear"), { kind: "nesterov", learningRate: 0.1, momentum: 0.9 }],
    [
      "adamw",
      model("sigmoid", "meanAbsoluteError", "linear"),
      { kind: "adamw", learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0.01 },
    ],
  ] as const)("is what DL4J writes of the same network: %s", (name, spec, optimizer) => {
    const { configuration } = toDl4j({ model: spec, optimizer, seed: 6 });
    expect(golden).toHaveProperty(name, configuration);
    expect(JSON.parse(JSON.stringify(configuration))).toEqual(configuration);
  });

  it("is what DL4J writes, with weights that make its sum over outputs a mean: rmsprop, binary cross-entropy", () => {
    const optimizer: OptimizerSpec = { kind: "rmsprop", learningRate: 0.1, decay: 0.9, epsilon: 1e-7 };
    const [hidden, output] = confsOf(model("softmax", "sigmoidCrossEntropy", "sigmoid"), optimizer);
    expect(golden).toHaveProperty(["rmsprop", "confs", "0"], hidden);
    const weights = { dataType: "FLOAT", shape: [1, 3], data: [1 / 3, 1 / 3, 1 / 3] };
    expect(output?.layer).toMatchObject({ lossFn: { weights } });
    const { lossFn: _loss, ...layer } = output?.layer ?? expect.fail("no output layer");
    expect(golden).toMatchObject({ rmsprop: { confs: [{}, { layer }] } });
    const [, single] = confsOf(model("tanh", "sigmoidCrossEntropy", "sigmoid", 1));
    expect(single?.layer["lossFn"]).toEqual({
      "@class": "org.nd4j.linalg.lossfunctions.impl.LossBinaryXENT",
      clipEps: 1e-5,
    });
  });

  it.each(ActivationSchema.options)("has a class for the activation %s", (activation) => {
    const classes = { linear: "Identity", sigmoid: "Sigmoid", tanh: "TanH", relu: "ReLU", softmax: "Softmax" };
    const [hidden] = confsOf(model(activation, "meanSquaredError", "linear"));
    const name = `org.nd4j.linalg.activations.impl.Activation${classes[activation]}`;
    expect(hidden?.layer["activationFn"]).toMatchObject({ "@class": name });
  });

  it("follows from the definition: every block, in order, with its sizes", () => {
    const file = "iris.xml";
    const document = readFileSync(new URL("../../../../../examples/iris/iris.xml", import.meta.url));
    const settings = settleJob({ definition: readNetwork(document, file), options: {}, sources: {}, file });
    const { configuration, differences } = toDl4j({ ...settings, seed: settings.seed.value });
    const told = configuration.confs.map(({ layer, seed }) => [
      layer["@class"].split(".").at(-1),
      layer["layerName"],
      layer["nin"],
      layer["nout"],
      seed,
    ]);
    expect(told).toEqual([
      ["DenseLayer", "Hidden1", 4, 3, 6],
      ["DenseLayer", "Hidden2", 3, 3, 6],
      ["OutputLayer", "Output1", 3, 3, 6],
    ]);
    expect(configuration.confs[0]?.layer["iupdater"]).toMatchObject({ learningRate: 0.1 });
    expect(differences).toEqual([expect.stringContaining("initial weights")]);
  });

  it("is what DL4J writes of layers of images: convolution, pooling, normalisation, activation, dropout", () => {
    const movement = { stride: [1, 2], padding: "same" } as const;
    const layers = [
      { kind: "conv2d", name: "Conv1", filters: 4, kernel: [3, 2], ...movement, activation: "relu", initialBias: 0.5, l2: 0.02 },
      { kind: "maxPool", name: "Max", window: [2, 2], stride: [2, 1], padding: "valid" },
      { kind: "avgPool", name: "Avg", window: [2, 2], stride: [1, 1], padding: "same" },
      { kind: "batchNorm", name: "Norm", momentum: 0.9, epsilon: 1e-3 },
      { kind: "activation", name: "Act", activation: "tanh" },
      { kind: "dropout", name: "Drop", rate: 0.25 },
      { kind: "flatten", name: "Flat" },
      { kind: "dense", name: "Hidden1", units: 3, activation: "tanh", initialBias: 0, l2: 0.01 },
      { kind: "dense", name: "Output1", units: 3, activation: "softmax", initialBias: 0 },
    ]; // biome-ignore format: a line per layer
    const rest = { loss: "softmaxCrossEntropy", targets: { kind: "class", classes: 3 } };
    const cnn = ModelSpecSchema.parse({ inputs: 64, inputShape: [8, 8, 1], layers, ...rest });
    const { configuration, differences } = toDl4j({ model: cnn, optimizer: sgd, seed: 6 });
    expect(golden).toHaveProperty("cnn", configuration);
    expect(differences.join("\n")).toContain("[rows, 8, 8, 1], channels last");
  });

  it("refuses shortcuts, naming where they lead", () => {
    const spec = model("tanh", "meanSquaredError", "linear");
    const [first, last] = spec.layers;
    const shortcut = ModelSpecSchema.parse({ ...spec, layers: [first, { ...last, from: ["@input"] }] });
    expect(failureOf(() => confsOf(shortcut))).toMatchObject({
      code: "CHOICE_UNSUPPORTED",
      value: "shortcuts to Output1",
      remedy: expect.stringContaining("without shortcuts"),
    });
  });

  it("says where DL4J's momentum is another", () => {
    const optimizer: OptimizerSpec = { kind: "momentum", learningRate: 0.1, momentum: 0.9 };
    const { configuration, differences } = toDl4j({
      model: model("tanh", "meanSquaredError", "linear"),
      optimizer,
      seed: 0,
    });
    expect(configuration.confs[1]?.layer["iupdater"]).toEqual({
      "@class": "org.nd4j.linalg.learning.config.Nesterovs",
      learningRate: 0.1,
      momentum: 0.9,
    });
    expect(differences).toContainEqual(expect.stringContaining("Nesterov"));
  });

  it("refuses an optimizer that DL4J has no counterpart of, naming those that it has", () => {
    const optimizer: OptimizerSpec = { kind: "adagrad", learningRate: 0.1, initialAccumulator: 0.1, epsilon: 1e-7 };
    const failure = failureOf(() => confsOf(model("tanh", "meanSquaredError", "linear"), optimizer));
    expect(failure).toMatchObject({
      code: "CHOICE_UNSUPPORTED",
      value: "adagrad",
      supported: expect.arrayContaining(["sgd", "rmsprop"]),
      remedy: expect.stringContaining("choose another optimizer"),
    });
  });
});
