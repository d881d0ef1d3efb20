import type { ArenaLayout } from "../../shared/arena-layout.js";
import type { LayerStack } from "../../shared/layer-shape.js";
import {
  type Activation,
  type LayerSpec,
  type ModelSpec,
  ModelSpecSchema,
  outputsOf,
} from "../../shared/model-spec.js";
import { RANDOM_PURPOSE, RandomStream } from "../../shared/random/random-stream.js";
import type { MicroBatch } from "./engine.js";

/** A fixed network of classes, and how many rows of it a probe computes. */
export interface ProbeModel {
  readonly model: ModelSpec;
  readonly rows: number;
}

type Head = Pick<ModelSpec, "loss"> & { readonly activation: Activation };

const CLASSES = 3;

/**
 * Of the blocked network. A native library sums long products in slices, whose length follows from the processor's caches, so it takes
 * several inner dimensions to tell caches apart: its inputs, and every second of its layers. The narrow ones in between keep the products
 * cheap, and are no narrower than 48, below which the library takes some of them in one slice on any processor.
 */
const BLOCKED_INPUTS = 300;
const BLOCKED_UNITS = [48, 2048, 50, 1100, 52, 784, 54, 530, 56];

/**
 * What engines are told apart by: between them all activations, hidden and last, and every function that the losses call. A native
 * engine's bits follow from the processor's caches, and from what its library has for each kind of layer on that processor: it computes
 * a network whose products are summed in slices, and one of images, in place of small ones, since each network costs it a graph. Pure.
 */
export function probeModels(engine: string): readonly ProbeModel[] {
  const small = smallModel({ loss: "sigmoidCrossEntropy", activation: "sigmoid" });
  if (engine !== "wasm") return [small, blockedModel(), imageModel()];
  return [
    smallModel({ loss: "softmaxCrossEntropy", activation: "softmax" }),
    small,
    smallModel({ loss: "meanSquaredError", activation: "tanh" }),
  ];
}

/** Parameters and rows of a model, the same on every machine. @param layout the model's. Pure. */
export function probeInputs(
  probed: ProbeModel,
  layout: ArenaLayout,
): { readonly parameters: Float32Array; readonly batch: MicroBatch } {
  const random = new RandomStream({ seed: 0, purpose: RANDOM_PURPOSE.probe });
  const parameters = probeParameters(layout, random);
  return { parameters, batch: probeRows(probed, random) };
}

/** No size is a multiple of any vector width, so that remainders are computed too. */
function smallModel({ loss, activation }: Head): ProbeModel {
  const layers = [
    dense("a", 33, "relu"),
    dense("b", 19, "tanh"),
    dense("c", 17, "sigmoid"),
    dense("d", 9, "softmax"),
    dense("e", 5, "linear"),
    dense("f", CLASSES, activation),
  ];
  return { model: classifier({ inputs: 37, layers }, loss), rows: 23 };
}

/** Linear at its end: its large outputs would be 0 and 1 after a softmax, and all their last bits lost. */
function blockedModel(): ProbeModel {
  const hidden = BLOCKED_UNITS.map((units, index) => dense(`hidden${index}`, units, "relu"));
  const layers = [...hidden, dense("output", CLASSES, "linear")];
  return { model: classifier({ inputs: BLOCKED_INPUTS, layers }, "meanSquaredError"), rows: 200 };
}

function imageModel(): ProbeModel {
  const layers = [
    convolution("a", 16, 3),
    ...normalisation("b"),
    pool("c", "maxPool"),
    convolution("d", 24, 5),
    ...normalisation("e"),
    pool("f", "avgPool"),
    { kind: "flatten", name: "g" } as const,
    dense("h", CLASSES, "softmax"),
  ];
  const inputShape: [number, number, number] = [11, 10, 3];
  return { model: classifier({ inputs: 11 * 10 * 3, inputShape, layers }, "softmaxCrossEntropy"), rows: 40 };
}

function classifier(stack: LayerStack, loss: ModelSpec["loss"]): ModelSpec {
  return ModelSpecSchema.parse({ ...stack, loss, targets: { kind: "class", classes: CLASSES } });
}

function dense(name: string, units: number, activation: Activation): LayerSpec {
  return { kind: "dense", name, units, activation, initialBias: 0 };
}

function convolution(name: string, filters: number, size: number): LayerSpec {
  const common = { kind: "conv2d", name, filters, activation: "linear", initialBias: 0 } as const;
  return { ...common, kernel: [size, size], stride: [1, 1], padding: "same" };
}

function normalisation(name: string): LayerSpec[] {
  return [
    { kind: "batchNorm", name, momentum: 0.9, epsilon: 1e-3 },
    { kind: "activation", name: `${name}-relu`, activation: "relu" },
  ];
}

function pool(name: string, kind: "maxPool" | "avgPool"): LayerSpec {
  return { kind, name, window: [2, 2], stride: [2, 2], padding: "same" };
}

function probeParameters(layout: ArenaLayout, random: RandomStream): Float32Array {
  const arena = new Float32Array(layout.paddedLength);
  for (const { offset, length } of layout.slots) {
    for (let index = offset; index < offset + length; index++) arena[index] = random.nextFloat() - 0.5;
  }
  return arena;
}

function probeRows({ model, rows: count }: ProbeModel, random: RandomStream): MicroBatch {
  const x = new Float32Array(count * model.inputs);
  for (let index = 0; index < x.length; index++) x[index] = 4 * random.nextFloat() - 2;
  const classes = new Uint32Array(count);
  for (let row = 0; row < count; row++) classes[row] = random.nextBelow(outputsOf(model));
  return { count, x, targets: { kind: "class", classes } };
}
