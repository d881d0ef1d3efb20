import type { ArenaLayout } from "../../../shared/arena-layout.js";
import { layerWithShapes } from "../../../shared/layer-shape.js";
import { type ModelSpec, parametersOf, statisticsOf } from "../../../shared/model-spec.js";
import type { Precision } from "../../../shared/step-rules.js";
import { GraphBuilder } from "./graph-builder.js";
import type { GraphNode, GraphTensor } from "./graph-node.js";
import { addInPlace, type InPlaceNodes } from "./in-place-nodes.js";
import { addLayer, type LayerFeeds } from "./layer-nodes.js";
import { addLoss, type CrossEntropy, type LossNodes } from "./loss-nodes.js";
import { binary, cast, named, placeholder, unary } from "./operations.js";
import { reversePass, type Seed } from "./reverse-pass.js";

/** One graph for a training step, evaluation and prediction: what is fed and fetched decides. Rows are as many as are fed. */
export interface StepGraph {
  readonly nodes: readonly GraphNode[];
  /** Fed. Rows, float32 `[-1, …row]`. */
  readonly x: GraphTensor;
  /** Fed, but for predictions. Classes, int32 `[-1]`, or values, float32 `[-1, outputs]`. */
  readonly targets: GraphTensor;
  /** Fed. Every tensor of the layout: trainable ones in slot order, then the running statistics. */
  readonly tensors: readonly GraphTensor[];
  /** Fed in training: per dropout layer the factors of its inputs, float32 `[-1, …row]`. */
  readonly masks: readonly { readonly layer: number; readonly tensor: GraphTensor }[];
  /** Fetched. Three float64, as int32 `[3, 2]`: lossSum, correct, absoluteErrorSum of a training step. */
  readonly sums: GraphTensor;
  /** Fetched. The same of an evaluation; the very same nodes when training computes no differently. */
  readonly evaluation: GraphTensor;
  /** Fetched. Activated outputs, float32 `[-1, outputs]`. */
  readonly outputs: GraphTensor;
  /** Fetched. Gradient sums in the order of `tensors`; of a running statistic, the sum that moves it. */
  readonly gradients: readonly GraphTensor[];
  readonly inPlace: InPlaceNodes;
}

export interface StepGraphOptions {
  /** Default: fused. */
  readonly crossEntropy?: CrossEntropy;
  /** Of the layers' products. Default: float32. */
  readonly precision?: Precision;
}

interface Pass extends LossNodes {
  readonly statistics: ReadonlyMap<string, GraphTensor>;
}

/**
 * Compiles a model into a graph: forward, loss and backward of a step, and the same without the backward part for evaluation. Pure; O(layers).
 * @throws RangeError when model and layout are not of each other.
 */
export function compileStepGraph(
  model: ModelSpec,
  layout: ArenaLayout,
  { crossEntropy = "fused", precision = "float32" }: StepGraphOptions = {},
): StepGraph {
  const graph = new GraphBuilder();
  const slots = [...layout.slots, ...layout.statistics];
  const x = placeholder(graph, "x", "float32", [-1, ...(model.inputShape ?? [model.inputs])]);
  const targets =
    model.targets.kind === "class"
      ? placeholder(graph, "classes", "int32", [-1])
      : placeholder(graph, "values", "float32", [-1, model.targets.outputs]);
  const tensors = slots.map(({ shape }, index) => placeholder(graph, `tensor_${index}`, "float32", shape));
  const byName = new Map(slots.map(({ name }, index) => [name, tensors[index]]));
  if (byName.size !== slots.length) throw new RangeError("two layers of the model have the same name");
  const tensor = (name: string): GraphTensor => {
    const found = byName.get(name);
    if (found === undefined) throw new RangeError(`the arena has no ${name}: it was laid out for another model`);
    return found;
  };
  for (const { name, shape } of [...parametersOf(model), ...statisticsOf(model)]) {
    if (shapesDiffer(tensor(name).shape, shape)) {
      throw new RangeError(`the arena has another shape for ${name}: it was laid out for another model`);
    }
  }
  const masks: { layer: number; tensor: GraphTensor }[] = [];
  const mask = (layer: number, shape: readonly number[]): GraphTensor => {
    const made = placeholder(graph, `mask_${layer}`, "float32", [-1, ...shape]);
    masks.push({ layer, tensor: made });
    return made;
  };
  const penalties = kernelPenalties(graph, model, tensor);
  const common = { model, x, targets, penalty: totalPenalty(graph, penalties), crossEntropy };
  const training = addForward(graph, common, { tensor, mask, precision });
  const trainables = tensors.slice(0, layout.slots.length);
  const seeds = [training.seed, ...penaltySeeds(graph, penalties, training.rows)];
  const byTensor = reversePass(graph, seeds, trainables);
  const gradients = slots.map(({ name }, index) => {
    const gradient = training.statistics.get(name) ?? byTensor.get(tensors[index]?.name ?? "");
    if (gradient === undefined) throw new RangeError(`nothing depends on ${name}`);
    return named(graph, `gradient_${index}`, gradient);
  });
  const sums = named(graph, "sums", training.sums);
  const differs = model.layers.some(({ kind }) => kind === "dropout" || kind === "batchNorm");
  const inference = differs ? addForward(graph, common, { tensor, mask: null, precision }) : training;
  const evaluation = named(graph, "evaluation", inference.sums);
  const outputs = named(graph, "outputs", inference.outputs);
  const inPlace = addInPlace(graph, { slots, tensors, gradients, sums });
  return { nodes: graph.nodes, x, targets, tensors, masks, sums, evaluation, outputs, gradients, inPlace };
}

interface Common {
  readonly model: ModelSpec;
  readonly x: GraphTensor;
  readonly targets: GraphTensor;
  readonly penalty: GraphTensor | null;
  readonly crossEntropy: CrossEntropy;
}

function addForward(graph: GraphBuilder, { model, x, ...common }: Common, feeds: LayerFeeds): Pass {
  const statistics = new Map<string, GraphTensor>();
  const last = model.layers.at(-1);
  if (last?.kind !== "dense") throw new RangeError("the last layer is dense");
  let output = x;
  const outputs: GraphTensor[] = [];
  for (const [index, shaped] of layerWithShapes(model).entries()) {
    // The last activation belongs to the loss, which needs the weighted sums.
    const layer = shaped.layer === last ? { ...last, activation: "linear" as const } : shaped.layer;
    const shortcuts = shaped.shortcuts.map((source) => outputs[source] ?? x);
    const nodes = addLayer(graph, { ...shaped, layer }, index, { ...feeds, x: output, shortcuts });
    for (const [name, sum] of nodes.statistics) statistics.set(name, sum);
    output = nodes.output;
    outputs.push(output);
  }
  const hasRelu = model.layers.some((layer) => layer !== last && "activation" in layer && layer.activation === "relu");
  const suspects = hasRelu ? x : null;
  const loss = addLoss(graph, { ...common, model, activation: last.activation, logits: output, suspects });
  return { ...loss, statistics };
}

/** `half` is ½ Σ kernel². */
interface KernelPenalty {
  readonly half: GraphTensor;
  readonly l2: number;
}

function kernelPenalties(graph: GraphBuilder, model: ModelSpec, tensor: LayerFeeds["tensor"]): KernelPenalty[] {
  return model.layers.flatMap((layer) => {
    if ((layer.kind !== "dense" && layer.kind !== "conv2d") || layer.l2 === undefined || layer.l2 === 0) return [];
    return [{ half: unary(graph, "L2Loss", tensor(`${layer.name}/kernel`)), l2: layer.l2 }];
  });
}

function totalPenalty(graph: GraphBuilder, penalties: readonly KernelPenalty[]): GraphTensor | null {
  let total: GraphTensor | null = null;
  for (const { half, l2 } of penalties) {
    const penalty = binary(graph, "Mul", cast(graph, half, "float64"), graph.constant("float64", [2 * l2], []));
    total = total === null ? penalty : binary(graph, "AddV2", total, penalty);
  }
  return total;
}

/** Each row has the whole penalty, so that dividing sums by rows leaves it once. */
function penaltySeeds(graph: GraphBuilder, penalties: readonly KernelPenalty[], rows: GraphTensor): Seed[] {
  return penalties.map(({ half, l2 }) => {
    const weight = binary(graph, "Mul", rows, graph.constant("float64", [2 * l2], []));
    return { of: half, gradient: cast(graph, weight, "float32") };
  });
}

function shapesDiffer(a: readonly number[], b: readonly number[]): boolean {
  return a.length !== b.length || a.some((size, axis) => size !== b[axis]);
}
