import { z } from "zod";

const positive = z.number().int().positive();

export const ActivationSchema = z.enum(["linear", "sigmoid", "tanh", "relu", "softmax"]);
export type Activation = z.infer<typeof ActivationSchema>;

/**
 * Row losses, each a mean over the outputs of one row; a step's loss is their mean over rows.
 * Cross-entropies are computed from logits, so the last layer's activation must be the matching one.
 */
export const LossSchema = z.enum([
  /** −log softmax(logits)[label]; last activation `softmax`. */
  "softmaxCrossEntropy",
  /** Binary cross-entropy of each output; last activation `sigmoid`; one output = two classes, k outputs = one-hot. */
  "sigmoidCrossEntropy",
  /** Mean squared error of the activated outputs; for classes against one-hot targets. */
  "meanSquaredError",
  "meanAbsoluteError",
]);
export type Loss = z.infer<typeof LossSchema>;

export const DenseLayerSchema = z.object({
  kind: z.literal("dense"),
  /** Unique in the model; part of tensor names: `<name>/kernel`, `<name>/bias`. */
  name: z.string().regex(/^[A-Za-z0-9._-]+$/),
  units: positive,
  activation: ActivationSchema,
  /** Every element of the bias starts with this. */
  initialBias: z.number(),
});
export const LayerSchema = z.discriminatedUnion("kind", [DenseLayerSchema]);
export type LayerSpec = z.infer<typeof LayerSchema>;

/** A network as engines see it: neutral of any library. Layers run in order. */
export const ModelSpecSchema = z.object({
  /** Features per row; x is `[batchSize, inputs]`. */
  inputs: positive,
  layers: z.array(LayerSchema).min(1),
  loss: LossSchema,
  /** What a row's targets are: `{classes}` one class number, or `{outputs}` that many real numbers. */
  targets: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("class"), classes: z.number().int().min(2) }),
    z.object({ kind: z.literal("values"), outputs: positive }),
  ]),
});
export type ModelSpec = z.infer<typeof ModelSpecSchema>;

export const OptimizerSpecSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("sgd"), learningRate: z.number().positive() }),
  z.object({ kind: z.literal("momentum"), learningRate: z.number().positive(), momentum: z.number().min(0).lt(1) }),
  z.object({ kind: z.literal("nesterov"), learningRate: z.number().positive(), momentum: z.number().min(0).lt(1) }),
  z.object({
    kind: z.literal("adam"),
    learningRate: z.number().positive(),
    beta1: z.number().min(0).lt(1),
    beta2: z.number().min(0).lt(1),
    epsilon: z.number().positive(),
  }),
  z.object({
    kind: z.literal("adamw"),
    learningRate: z.number().positive(),
    beta1: z.number().min(0).lt(1),
    beta2: z.number().min(0).lt(1),
    epsilon: z.number().positive(),
    weightDecay: z.number().min(0),
  }),
  z.object({
    kind: z.literal("rmsprop"),
    learningRate: z.number().positive(),
    decay: z.number().min(0).lt(1),
    epsilon: z.number().positive(),
  }),
  z.object({
    kind: z.literal("adagrad"),
    learningRate: z.number().positive(),
    initialAccumulator: z.number().min(0),
    epsilon: z.number().positive(),
  }),
]);
export type OptimizerSpec = z.infer<typeof OptimizerSpecSchema>;
export type OptimizerKind = OptimizerSpec["kind"];

/** One trainable tensor of a model. */
export interface ParameterSpec {
  /** `<layer>/kernel` or `<layer>/bias`. */
  readonly name: string;
  /** Index of its layer in `ModelSpec.layers`. */
  readonly layer: number;
  /** Kernel of a dense layer: `[inputs, units]`, row-major, as Keras stores it; bias: `[units]`. */
  readonly shape: readonly number[];
  readonly initial:
    | { readonly kind: "glorotUniform"; readonly fanIn: number; readonly fanOut: number }
    | { readonly kind: "constant"; readonly value: number };
}

/** The trainable tensors in layer order, kernel before bias. Pure. */
export function parametersOf(model: ModelSpec): ParameterSpec[] {
  const parameters: ParameterSpec[] = [];
  let fanIn = model.inputs;
  for (const [index, layer] of model.layers.entries()) {
    const { name, units } = layer;
    parameters.push(
      {
        name: `${name}/kernel`,
        layer: index,
        shape: [fanIn, units],
        initial: { kind: "glorotUniform", fanIn, fanOut: units },
      },
      { name: `${name}/bias`, layer: index, shape: [units], initial: { kind: "constant", value: layer.initialBias } },
    );
    fanIn = units;
  }
  return parameters;
}

/** Width of the network's last layer. */
export function outputsOf(model: ModelSpec): number {
  const last = model.layers.at(-1);
  if (last === undefined) throw new RangeError("a model has at least one layer");
  return last.units;
}
