import type { ShapedLayer } from "../../../shared/layer-shape.js";
import { widthOf } from "../../../shared/layer-shape.js";
import type { BatchNormLayerSpec } from "../../../shared/model-spec.js";
import type { Precision } from "../../../shared/step-rules.js";
import { unreachable } from "../../../shared/unreachable.js";
import type { GraphBuilder } from "./graph-builder.js";
import type { GraphTensor } from "./graph-node.js";
import { conv2d, fusedBatchNorm, pool } from "./image-operations.js";
import { activate } from "./loss-nodes.js";
import { biasAdd, binary, cast, joinColumns, matMul, reshape, sizeOf } from "./operations.js";

/** What layers are computed with. */
export interface LayerFeeds {
  /** Trainable tensors and running statistics by name, `<layer>/kernel`. */
  tensor(name: string): GraphTensor;
  /** The dropout mask of a layer whose rows have that shape; null when this is not training. */
  readonly mask: ((layer: number, shape: readonly number[]) => GraphTensor) | null;
  readonly precision: Precision;
}

export interface LayerNodes {
  readonly output: GraphTensor;
  /** By name: what moves the running statistics, times the rows; empty when this is not training. */
  readonly statistics: ReadonlyMap<string, GraphTensor>;
}

const NO_STATISTICS: ReadonlyMap<string, GraphTensor> = new Map();

/** What goes into a layer: `[-1, …shape of a row]`. */
export interface LayerInputs extends LayerFeeds {
  /** Out of the previous layer. */
  readonly x: GraphTensor;
  /** Out of the layers that shortcuts lead from, in their order. */
  readonly shortcuts: readonly GraphTensor[];
}

/** One layer forward. */
export function addLayer(graph: GraphBuilder, shaped: ShapedLayer, index: number, io: LayerInputs): LayerNodes {
  const { layer, output } = shaped;
  const { x } = io;
  const only = (tensor: GraphTensor): LayerNodes => ({ output: tensor, statistics: NO_STATISTICS });
  const parameter = (suffix: string): GraphTensor => io.tensor(`${layer.name}/${suffix}`);
  switch (layer.kind) {
    case "dense": {
      const joined = joinColumns(graph, [x, ...io.shortcuts.map((source) => flattened(graph, source))]);
      const narrow = inPrecision(graph, io.precision);
      const product = narrow.widened(matMul(graph, narrow.narrowed(joined), narrow.narrowed(parameter("kernel"))));
      const sums = biasAdd(graph, product, parameter("bias"));
      return only(activate(graph, layer.activation, sums));
    }
    case "conv2d": {
      const narrow = inPrecision(graph, io.precision);
      const product = narrow.widened(conv2d(graph, narrow.narrowed(x), narrow.narrowed(parameter("kernel")), layer));
      const sums = biasAdd(graph, product, parameter("bias"));
      return only(activate(graph, layer.activation, sums));
    }
    case "maxPool":
    case "avgPool":
      return only(pool(graph, x, { ...layer, op: layer.kind === "maxPool" ? "MaxPool" : "AvgPool" }));
    case "flatten":
      return only(shaped.input.length === 1 ? x : reshape(graph, x, [-1, ...output]));
    case "activation":
      return only(activate(graph, layer.activation, x));
    case "dropout":
      return only(io.mask === null ? x : binary(graph, "Mul", x, io.mask(index, output)));
    case "batchNorm":
      return addBatchNorm(graph, layer, shaped, { ...io, isTraining: io.mask !== null });
    default:
      return unreachable(layer);
  }
}

/** Factors on their way into a product, and what comes out of it on its way back to float32. */
function inPrecision(graph: GraphBuilder, precision: Precision) {
  const to = (type: Precision) => (x: GraphTensor) => (precision === "float32" ? x : cast(graph, x, type));
  return { narrowed: to(precision), widened: to("float32") };
}

function flattened(graph: GraphBuilder, x: GraphTensor): GraphTensor {
  return x.shape.length === 2 ? x : reshape(graph, x, [-1, widthOf(x.shape.slice(1))]);
}

function addBatchNorm(
  graph: GraphBuilder,
  { name, epsilon }: BatchNormLayerSpec,
  { input }: ShapedLayer,
  io: LayerFeeds & { x: GraphTensor; isTraining: boolean },
): LayerNodes {
  const [mean, variance] = [`${name}/moving_mean`, `${name}/moving_variance`];
  const isImage = input.length === 3;
  const channels = input.at(-1) ?? 1;
  const x = isImage ? io.x : reshape(graph, io.x, [-1, 1, 1, channels]);
  const moments = io.isTraining ? null : { mean: io.tensor(mean), variance: io.tensor(variance) };
  const normalisation = { scale: io.tensor(`${name}/gamma`), offset: io.tensor(`${name}/beta`), epsilon, moments };
  const [y, batchMean, batchVariance] = fusedBatchNorm(graph, x, normalisation).outputs;
  if (y === undefined || batchMean === undefined || batchVariance === undefined) {
    throw new RangeError("batch normalisation has several outputs");
  }
  const output = isImage ? y : reshape(graph, y, [-1, channels]);
  if (!io.isTraining) return { output, statistics: NO_STATISTICS };
  // TensorFlow's variance has n − 1 below: times (n − 1) / n · rows, with n = rows · places, is times (n − 1) / places.
  const places = widthOf(input) / channels;
  const scalar = (value: number) => graph.constant("float32", [value], []);
  const size = cast(graph, sizeOf(graph, x), "float32");
  const n = binary(graph, "RealDiv", size, scalar(channels));
  const rows = binary(graph, "RealDiv", n, scalar(places));
  const factor = binary(graph, "RealDiv", binary(graph, "Sub", n, scalar(1)), scalar(places));
  const statistics = new Map([
    [mean, binary(graph, "Mul", batchMean, rows)],
    [variance, binary(graph, "Mul", batchVariance, factor)],
  ]);
  return { output, statistics };
}
