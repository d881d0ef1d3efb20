import { z } from "zod";
import { checkLayers, INPUT_ROWS, type LayerStack, layerShapes, layerWithShapes, widthOf } from "./layer-shape.js";

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

/** Unique in the model; part of tensor names: `<name>/kernel`, `<name>/bias`. */
const name = z.string().regex(/^[A-Za-z0-9._-]+$/);
/** Adds `l2 · Σ kernel²` to the loss of every row, so once to a step's mean loss; biases are left out. Absent: 0. */
const l2 = z.number().nonnegative().optional();
/** `[height, width]` */
const extent = z.tuple([positive, positive]);
/** As TensorFlow means it: `same` gives ⌈size / stride⌉ positions, with zeros around (one more behind than before, if odd). */
export const PaddingSchema = z.enum(["same", "valid"]);
export type Padding = z.infer<typeof PaddingSchema>;

export const DenseLayerSchema = z.object({
  kind: z.literal("dense"),
  name,
  units: positive,
  activation: ActivationSchema,
  /** Every element of the bias starts with this. */
  initialBias: z.number(),
  l2,
  /**
   * Shortcuts: earlier layers, or the rows (`@input`), whose outputs are joined behind the previous layer's, in this order, images
   * flattened. The kernel has a row for each joined number: that is a full connection from each of them. Absent: none.
   */
  from: z
    .array(z.union([name, z.literal(INPUT_ROWS)]))
    .min(1)
    .optional(),
});
/** Cross-correlation of images `[height, width, channels]` with `filters` kernels. */
export const Conv2dLayerSchema = z.object({
  kind: z.literal("conv2d"),
  name,
  filters: positive,
  kernel: extent,
  stride: extent,
  padding: PaddingSchema,
  activation: ActivationSchema,
  initialBias: z.number(),
  l2,
});
const pooling = { name, window: extent, stride: extent, padding: PaddingSchema };
export const MaxPoolLayerSchema = z.object({ kind: z.literal("maxPool"), ...pooling });
/** Mean of the window's places inside the image. */
export const AvgPoolLayerSchema = z.object({ kind: z.literal("avgPool"), ...pooling });
export const FlattenLayerSchema = z.object({ kind: z.literal("flatten"), name });
export const ActivationLayerSchema = z.object({ kind: z.literal("activation"), name, activation: ActivationSchema });
/** In training each input is zeroed with probability `rate` and else divided by 1 − rate; otherwise nothing happens. */
export const DropoutLayerSchema = z.object({
  kind: z.literal("dropout"),
  name,
  rate: z.number().min(0).lt(1),
});
/**
 * Per channel (the last axis): y = gamma · (x − mean) / √(variance + epsilon) + beta. In training with the moments of the
 * replica's own rows (Ioffe and Szegedy, ICML 2015; variance with n, not n − 1), otherwise with the running statistics, which move
 * by `momentum · old + (1 − momentum) · the mean of the replicas' moments, weighted by rows` in every step.
 */
export const BatchNormLayerSchema = z.object({
  kind: z.literal("batchNorm"),
  name,
  momentum: z.number().min(0).lt(1),
  epsilon: z.number().positive(),
});
export const LayerSchema = z.discriminatedUnion("kind", [
  DenseLayerSchema,
  Conv2dLayerSchema,
  MaxPoolLayerSchema,
  AvgPoolLayerSchema,
  FlattenLayerSchema,
  ActivationLayerSchema,
  DropoutLayerSchema,
  BatchNormLayerSchema,
]);
export type LayerSpec = z.infer<typeof LayerSchema>;
export type DenseLayerSpec = z.infer<typeof DenseLayerSchema>;
export type Conv2dLayerSpec = z.infer<typeof Conv2dLayerSchema>;
export type PoolLayerSpec = z.infer<typeof MaxPoolLayerSchema> | z.infer<typeof AvgPoolLayerSchema>;
export type DropoutLayerSpec = z.infer<typeof DropoutLayerSchema>;
export type BatchNormLayerSpec = z.infer<typeof BatchNormLayerSchema>;

/** A network as engines see it: neutral of any library. Layers run in order; the last one is dense. */
const ModelFieldsSchema = z.object({
  /** Features per row; x is `[batchSize, inputs]`. */
  inputs: positive,
  /** `[height, width, channels]` of a row that is an image, row-major; its product is `inputs`. Absent: a row is flat. */
  inputShape: z.tuple([positive, positive, positive]).optional(),
  layers: z.array(LayerSchema).min(1),
  loss: LossSchema,
  /** What a row's targets are: `{classes}` one class number, or `{outputs}` that many real numbers. */
  targets: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("class"), classes: z.number().int().min(2) }),
    z.object({ kind: z.literal("values"), outputs: positive }),
  ]),
});
export const ModelSpecSchema = ModelFieldsSchema.superRefine((model, context) => {
  const issue = checkLayers(model);
  if (issue !== null) context.addIssue({ code: "custom", ...issue });
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

/** One tensor of a model. */
export interface ParameterSpec {
  /** `<layer>/kernel`, `<layer>/bias`; of batch normalisation `gamma`, `beta`, `moving_mean`, `moving_variance`. */
  readonly name: string;
  /** Index of its layer in `ModelSpec.layers`. */
  readonly layer: number;
  /**
   * Row-major, as Keras stores it. Kernel of a dense layer: `[inputs, units]`; of a convolution: `[height, width, channels,
   * filters]`; all others: `[units]`, `[filters]` or `[channels]`.
   */
  readonly shape: readonly number[];
  readonly initial:
    | { readonly kind: "glorotUniform"; readonly fanIn: number; readonly fanOut: number }
    | { readonly kind: "constant"; readonly value: number };
}

/** One tensor that changes in training, but not by gradients. */
export interface StatisticSpec extends ParameterSpec {
  /** Share of the old value in a step's new one. */
  readonly momentum: number;
}

/** The trainable tensors in layer order, kernel before bias, gamma before beta. Pure. */
export function parametersOf(model: LayerStack): ParameterSpec[] {
  return layerWithShapes(model).flatMap(({ layer, input }, index) => trainablesOf(layer, index, input));
}

/** The non-trainable tensors in layer order, running mean before running variance. Pure. */
export function statisticsOf(model: ModelSpec): StatisticSpec[] {
  return layerWithShapes(model).flatMap(({ layer, input }, index) => {
    if (layer.kind !== "batchNorm") return [];
    const common = { layer: index, shape: [input.at(-1) ?? 1], momentum: layer.momentum };
    return [
      { ...common, name: `${layer.name}/moving_mean`, initial: { kind: "constant", value: 0 } as const },
      { ...common, name: `${layer.name}/moving_variance`, initial: { kind: "constant", value: 1 } as const },
    ];
  });
}

function trainablesOf(layer: LayerSpec, index: number, input: readonly number[]): ParameterSpec[] {
  const channels = input.at(-1) ?? 1;
  const constant = (suffix: string, length: number, value: number): ParameterSpec => ({
    name: `${layer.name}/${suffix}`,
    layer: index,
    shape: [length],
    initial: { kind: "constant", value },
  });
  const kernel = (shape: readonly number[], fanIn: number, fanOut: number): ParameterSpec => ({
    name: `${layer.name}/kernel`,
    layer: index,
    shape,
    initial: { kind: "glorotUniform", fanIn, fanOut },
  });
  switch (layer.kind) {
    case "dense":
      return [kernel([channels, layer.units], channels, layer.units), constant("bias", layer.units, layer.initialBias)];
    case "conv2d": {
      const { filters } = layer;
      const field = widthOf(layer.kernel);
      return [
        kernel([...layer.kernel, channels, filters], field * channels, field * filters),
        constant("bias", filters, layer.initialBias),
      ];
    }
    case "batchNorm":
      return [constant("gamma", channels, 1), constant("beta", channels, 0)];
    default:
      return [];
  }
}

/** Width of the network's last layer. */
export function outputsOf(model: ModelSpec): number {
  const last = layerShapes(model).at(-1);
  if (last === undefined) throw new RangeError("a model has at least one layer");
  return widthOf(last);
}
