import { layoutOf } from "../../shared/arena-layout.js";
import { INPUT_ROWS } from "../../shared/layer-shape.js";
import { type DenseLayerSpec, type LayerSpec, type ModelSpec, ModelSpecSchema } from "../../shared/model-spec.js";
import { RandomStream } from "../../shared/random/random-stream.js";
import { type Example, randomArena, randomBatch } from "./tiny-networks.js";

type Head = Pick<ModelSpec, "loss" | "targets"> & { readonly output: DenseLayerSpec };

const CLASSES: Head = {
  output: { kind: "dense", name: "output", units: 3, activation: "softmax", initialBias: 0 },
  loss: "softmaxCrossEntropy",
  targets: { kind: "class", classes: 3 },
};
const VALUES: Head = {
  output: { kind: "dense", name: "output", units: 2, activation: "linear", initialBias: 0 },
  loss: "meanSquaredError",
  targets: { kind: "values", outputs: 2 },
};

const flatten: LayerSpec = { kind: "flatten", name: "flat" };
const conv = (name: string, own: Partial<Extract<LayerSpec, { kind: "conv2d" }>>): LayerSpec => ({
  kind: "conv2d",
  name,
  filters: 3,
  kernel: [3, 3],
  stride: [1, 1],
  padding: "valid",
  activation: "linear",
  initialBias: 0,
  ...own,
});
const pool = (kind: "maxPool" | "avgPool", own: object): LayerSpec => ({
  kind,
  name: "pool",
  window: [2, 2],
  stride: [2, 2],
  padding: "valid",
  ...own,
});
const dense = (name: string, activation: "relu" | "tanh" | "linear", l2?: number): DenseLayerSpec => ({
  kind: "dense",
  name,
  units: 6,
  activation,
  initialBias: 0,
  ...(l2 === undefined ? {} : { l2 }),
});
const norm = (name: string): LayerSpec => ({ kind: "batchNorm", name, momentum: 0.9, epsilon: 1e-3 });

function image(shape: [number, number, number], layers: LayerSpec[], head = CLASSES): ModelSpec {
  const { output, loss, targets } = head;
  const inputs = shape[0] * shape[1] * shape[2];
  return ModelSpecSchema.parse({ inputs, inputShape: shape, layers: [...layers, flatten, output], loss, targets });
}

function flat(inputs: number, layers: LayerSpec[], head = CLASSES): ModelSpec {
  return ModelSpecSchema.parse({ inputs, layers: [...layers, head.output], loss: head.loss, targets: head.targets });
}

/** Every kind of layer, in all the ways that its code tells apart. */
export const LAYER_MODELS: readonly (readonly [string, ModelSpec])[] = [
  ["conv2d", image([6, 5, 2], [conv("conv", { activation: "tanh" })])],
  ["conv2d, same", image([5, 6, 2], [conv("conv", { padding: "same", activation: "relu" })])],
  ["conv2d, even kernel, same", image([5, 4, 1], [conv("conv", { padding: "same", kernel: [2, 4] })])],
  ["conv2d with stride", image([7, 8, 2], [conv("conv", { stride: [2, 3], kernel: [3, 2] })])],
  ["conv2d with stride, same", image([7, 6, 2], [conv("conv", { stride: [2, 2], padding: "same" })])],
  [
    "conv2d with a stride beyond its kernel, same",
    image([6, 6, 1], [conv("conv", { stride: [2, 3], padding: "same", kernel: [3, 2] })]),
  ],
  ["conv2d, 1×1, softmax", image([3, 3, 2], [conv("conv", { kernel: [1, 1], activation: "softmax" })])],
  [
    "two conv2d",
    image([7, 7, 1], [conv("a", { activation: "tanh" }), conv("b", { stride: [2, 1], activation: "sigmoid" })]),
  ],
  ["maxPool", image([6, 4, 2], [conv("conv", { padding: "same" }), pool("maxPool", {})])],
  [
    "maxPool that overlaps, same",
    image(
      [5, 5, 2],
      [conv("conv", { padding: "same" }), pool("maxPool", { window: [3, 2], stride: [2, 1], padding: "same" })],
    ),
  ],
  [
    "relu, then maxPool twice",
    image(
      [8, 9, 2],
      [
        conv("conv", { activation: "relu" }),
        pool("maxPool", { name: "first" }),
        pool("maxPool", { window: [2, 3], stride: [1, 2], padding: "same" }),
      ],
    ),
  ],
  [
    "batchNorm, relu, then maxPool",
    image(
      [6, 6, 1],
      [conv("conv", {}), norm("norm"), { kind: "activation", name: "act", activation: "relu" }, pool("maxPool", {})],
      VALUES,
    ),
  ],
  [
    "maxPool of a relu that a shortcut leads from",
    image(
      [5, 5, 1],
      [
        conv("conv", { activation: "relu" }),
        pool("maxPool", {}),
        { kind: "flatten", name: "first" },
        { ...dense("hidden", "tanh"), from: ["conv"] },
      ],
    ),
  ],
  ["avgPool", image([6, 4, 2], [conv("conv", { padding: "same" }), pool("avgPool", {})])],
  [
    "avgPool that overlaps, same",
    image(
      [5, 5, 2],
      [conv("conv", { padding: "same" }), pool("avgPool", { window: [3, 2], stride: [2, 1], padding: "same" })],
    ),
  ],
  ["flatten of flat rows", flat(5, [flatten, dense("hidden", "tanh")])],
  ["activation", flat(5, [dense("hidden", "linear"), { kind: "activation", name: "act", activation: "relu" }])],
  [
    "activation of images",
    image([3, 3, 2], [conv("conv", { kernel: [2, 2] }), { kind: "activation", name: "act", activation: "softmax" }]),
  ],
  [
    "dropout",
    flat(7, [
      { kind: "dropout", name: "in", rate: 0.25 },
      dense("hidden", "tanh"),
      { kind: "dropout", name: "mid", rate: 0.5 },
    ]),
  ],
  [
    "dropout of images",
    image([4, 4, 2], [conv("conv", { activation: "tanh" }), { kind: "dropout", name: "drop", rate: 0.3 }]),
  ],
  [
    "batchNorm",
    flat(5, [dense("hidden", "linear"), norm("norm"), { kind: "activation", name: "act", activation: "tanh" }]),
  ],
  [
    "batchNorm first, of images, values",
    image([4, 3, 2], [norm("norm"), conv("conv", { kernel: [2, 2] }), norm("again")], VALUES),
  ],
  [
    "l2",
    image(
      [4, 4, 1],
      [
        conv("conv", { l2: 0.02, activation: "tanh" }),
        { kind: "flatten", name: "first" },
        dense("hidden", "tanh", 0.05),
      ],
    ),
  ],
  [
    "shortcuts over layers, from the rows and to the output",
    flat(
      5,
      [
        dense("first", "tanh"),
        dense("second", "linear"),
        { ...dense("third", "tanh", 0.03), from: [INPUT_ROWS, "first"] },
      ],
      { ...VALUES, output: { ...VALUES.output, from: ["first", "second"] } },
    ),
  ],
  [
    "shortcuts from images, over dropout and normalisation",
    image(
      [4, 4, 2],
      [
        conv("conv", { padding: "same", activation: "tanh" }),
        norm("norm"),
        { kind: "dropout", name: "drop", rate: 0.3 },
        { kind: "flatten", name: "first" },
        { ...dense("hidden", "tanh"), from: ["conv", INPUT_ROWS] },
        { kind: "activation", name: "act", activation: "tanh" },
      ],
      { ...CLASSES, output: { ...CLASSES.output, from: ["norm"] } },
    ),
  ],
];

/** Parameters, rows and running statistics that belong to a model; statistics of a network that has seen data. */
export function layerExample(model: ModelSpec, count: number, seed = 3): Example {
  const random = new RandomStream({ seed, purpose: 6 });
  const layout = layoutOf(model);
  const parameters = randomArena(layout, random, 0.7);
  for (const { name, offset, length } of layout.statistics) {
    for (let i = offset; i < offset + length; i++)
      parameters[i] = random.nextFloat() - 0.5 + (name.endsWith("variance") ? 1 : 0);
  }
  return { model, layout, parameters, batch: randomBatch(model, count, random) };
}
