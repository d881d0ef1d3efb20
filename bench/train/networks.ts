import { type ModelSpec, ModelSpecSchema, type OptimizerSpec } from "../../shared/model-spec.js";

export const NETWORKS = ["mlp", "cnn"] as const;
export type NetworkName = (typeof NETWORKS)[number];
export const OPTIMIZERS = ["sgd", "momentum", "adam"] as const;
export type OptimizerName = (typeof OPTIMIZERS)[number];

const CLASSES = 10;
const IMAGE = [28, 28, 1] as const;
const OUTPUT = { kind: "dense", name: "output", units: CLASSES, activation: "softmax", initialBias: 0 };
const COMMON = {
  inputs: 784,
  loss: "softmaxCrossEntropy",
  targets: { kind: "class", classes: CLASSES },
};

/** `mlp`: 784-528-10. `cnn`: two convolutions 3×3 of 32 and 64 filters, each pooled 2×2, then 128 and 10 units. */
export function network(name: NetworkName): ModelSpec {
  return ModelSpecSchema.parse(name === "mlp" ? { ...COMMON, layers: [hidden(528), OUTPUT] } : convolutional());
}

/** Settings that all contenders know; one epsilon for all, since the libraries' defaults differ. */
export function optimizer(name: OptimizerName): OptimizerSpec {
  switch (name) {
    case "sgd":
      return { kind: "sgd", learningRate: 0.1 };
    case "momentum":
      return { kind: "momentum", learningRate: 0.02, momentum: 0.9 };
    case "adam":
      return { kind: "adam", learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
  }
}

function convolutional(): unknown {
  const layers = [
    convolution("first", 32),
    pool("pool1"),
    convolution("second", 64),
    pool("pool2"),
    { kind: "flatten", name: "flat" },
    hidden(128),
    OUTPUT,
  ];
  return { ...COMMON, inputShape: [...IMAGE], layers };
}

function hidden(units: number): unknown {
  return { kind: "dense", name: "hidden", units, activation: "relu", initialBias: 0 };
}

function convolution(name: string, filters: number): unknown {
  const geometry = { kernel: [3, 3], stride: [1, 1], padding: "valid" };
  return { kind: "conv2d", name, filters, ...geometry, activation: "relu", initialBias: 0 };
}

function pool(name: string): unknown {
  return { kind: "maxPool", name, window: [2, 2], stride: [2, 2], padding: "valid" };
}
