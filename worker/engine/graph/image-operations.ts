import { windowAxis } from "../../../shared/layer-shape.js";
import type { Padding } from "../../../shared/model-spec.js";
import type { GraphBuilder } from "./graph-builder.js";
import type { Attributes, GraphNode, GraphTensor } from "./graph-node.js";
import { boolOf, channelsLast, misfit, shapeOf, typeOf } from "./operations.js";

/** How a window moves over an image. */
export interface Movement {
  /** Down and across. */
  readonly stride: readonly [number, number];
  readonly padding: Padding;
}

/** Cross-correlation of `x: [n, height, width, channels]` with `kernel: [height, width, channels, filters]`. */
export function conv2d(graph: GraphBuilder, x: GraphTensor, kernel: GraphTensor, movement: Movement): GraphTensor {
  const [height, width, channels, filters] = kernel.shape;
  if (height === undefined || width === undefined || filters === undefined || channels !== x.shape[3]) {
    throw misfit("Conv2D", [x, kernel]);
  }
  const shape = moved(x, [height, width], movement, filters);
  const attributes = convolutionAttributes(x, movement);
  return graph.addOne({ op: "Conv2D", inputs: [x, kernel], attributes, outputs: [{ type: x.type, shape }] });
}

/** Gradients of {@link conv2d}, whose attributes are given, from its inputs and the gradient `dy` of what came out. */
export function conv2dInputGradient(
  graph: GraphBuilder,
  { inputs, attributes }: GraphNode,
  dy: GraphTensor,
): GraphTensor {
  const [x, kernel] = inputs;
  if (x === undefined || kernel === undefined) throw misfit("Conv2DBackpropInput", inputs);
  const all = [shapeOf(graph, x), kernel, dy];
  return graph.addOne({ op: "Conv2DBackpropInput", inputs: all, attributes, outputs: [x] });
}

export function conv2dKernelGradient(
  graph: GraphBuilder,
  { inputs, attributes }: GraphNode,
  dy: GraphTensor,
): GraphTensor {
  const [x, kernel] = inputs;
  if (x === undefined || kernel === undefined) throw misfit("Conv2DBackpropFilter", inputs);
  const sizes = graph.constant("int32", kernel.shape, [kernel.shape.length]);
  return graph.addOne({ op: "Conv2DBackpropFilter", inputs: [x, sizes, dy], attributes, outputs: [kernel] });
}

export interface Pooling extends Movement {
  readonly op: "MaxPool" | "AvgPool";
  readonly window: readonly [number, number];
}

export function pool(graph: GraphBuilder, x: GraphTensor, { op, window, ...movement }: Pooling): GraphTensor {
  const shape = moved(x, window, movement, null);
  const sizes = { kind: "ints", value: [1, ...window, 1] } as const;
  const attributes = { ...channelsLast(x), ksize: sizes, ...movementAttributes(movement), ...explicitPaddings(op) };
  return graph.addOne({ op, inputs: [x], attributes, outputs: [{ type: x.type, shape }] });
}

export function maxPoolGradient(
  graph: GraphBuilder,
  { inputs, outputs, attributes }: GraphNode,
  dy: GraphTensor,
): GraphTensor {
  const [x, y] = [inputs[0], outputs[0]];
  if (x === undefined || y === undefined) throw misfit("MaxPoolGrad", inputs);
  return graph.addOne({ op: "MaxPoolGrad", inputs: [x, y, dy], attributes, outputs: [x] });
}

export function avgPoolGradient(graph: GraphBuilder, { inputs, attributes }: GraphNode, dy: GraphTensor): GraphTensor {
  const [x] = inputs;
  if (x === undefined) throw misfit("AvgPoolGrad", inputs);
  return graph.addOne({ op: "AvgPoolGrad", inputs: [shapeOf(graph, x), dy], attributes, outputs: [x] });
}

export interface Normalisation {
  readonly scale: GraphTensor;
  readonly offset: GraphTensor;
  readonly epsilon: number;
  /** Running moments; null: those of the batch. */
  readonly moments: { readonly mean: GraphTensor; readonly variance: GraphTensor } | null;
}

/**
 * Batch normalisation of `x: [n, height, width, channels]`. Outputs: y, mean, variance (with n − 1, when of the batch), then what the
 * gradient needs.
 */
export function fusedBatchNorm(graph: GraphBuilder, x: GraphTensor, normalisation: Normalisation): GraphNode {
  const { scale, offset, epsilon, moments } = normalisation;
  const channels = x.shape.at(-1);
  if (x.shape.length !== 4 || scale.shape[0] !== channels || offset.shape[0] !== channels) {
    throw misfit("FusedBatchNormV3", [x, scale, offset]);
  }
  const none = graph.constant("float32", [], [0]);
  const [mean, variance] = moments === null ? [none, none] : [moments.mean, moments.variance];
  return graph.add({
    op: "FusedBatchNormV3",
    inputs: [x, scale, offset, mean, variance],
    attributes: normalisationAttributes(x, epsilon, moments === null),
    outputs: [x, scale, scale, scale, scale, { type: "float32", shape: [] }],
  });
}

/** Gradients of x, scale and offset. */
export function fusedBatchNormGradient(graph: GraphBuilder, node: GraphNode, dy: GraphTensor): GraphTensor[] {
  const [x, scale] = node.inputs;
  const reserved = node.outputs.slice(3);
  if (x === undefined || scale === undefined) throw misfit("FusedBatchNormGradV3", node.inputs);
  const { exponential_avg_factor: _, ...attributes } = node.attributes;
  const none = { type: "float32", shape: [0] } as const;
  const inputs = [dy, x, scale, ...reserved];
  const outputs = [x, scale, scale, none, none];
  return graph.add({ op: "FusedBatchNormGradV3", inputs, attributes, outputs }).outputs.slice(0, 3);
}

function moved(
  x: GraphTensor,
  window: readonly [number, number],
  { stride, padding }: Movement,
  filters: number | null,
): number[] {
  const [rows, height, width, channels] = x.shape;
  if (rows === undefined || height === undefined || width === undefined || channels === undefined) {
    throw misfit("a window", [x]);
  }
  const down = windowAxis(height, window[0], stride[0], padding).positions;
  const across = windowAxis(width, window[1], stride[1], padding).positions;
  return [rows, down, across, filters ?? channels];
}

function movementAttributes({ stride, padding }: Movement): Attributes {
  return {
    strides: { kind: "ints", value: [1, ...stride, 1] },
    padding: { kind: "string", value: padding === "same" ? "SAME" : "VALID" },
  };
}

function convolutionAttributes(x: GraphTensor, movement: Movement): Attributes {
  return {
    ...channelsLast(x),
    ...movementAttributes(movement),
    dilations: { kind: "ints", value: [1, 1, 1, 1] },
    explicit_paddings: { kind: "ints", value: [] },
    use_cudnn_on_gpu: boolOf(true),
  };
}

function explicitPaddings(op: Pooling["op"]): Attributes {
  return op === "MaxPool" ? { explicit_paddings: { kind: "ints", value: [] } } : {};
}

function normalisationAttributes(x: GraphTensor, epsilon: number, isTraining: boolean): Attributes {
  return {
    ...channelsLast(x),
    U: typeOf("float32"),
    epsilon: { kind: "float", value: epsilon },
    exponential_avg_factor: { kind: "float", value: 1 },
    is_training: boolOf(isTraining),
  };
}
