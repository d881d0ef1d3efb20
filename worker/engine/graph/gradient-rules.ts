import type { GraphBuilder } from "./graph-builder.js";
import type { GraphNode, GraphTensor } from "./graph-node.js";
import {
  avgPoolGradient,
  conv2dInputGradient,
  conv2dKernelGradient,
  fusedBatchNormGradient,
  maxPoolGradient,
} from "./image-operations.js";
import { biasAddGradient, binary, cast, columnsOf, matMul, reduce, reshape, shapeOf, typeOf } from "./operations.js";

/** What a rule works with. */
export interface RuleInputs {
  readonly graph: GraphBuilder;
  readonly node: GraphNode;
  /** Gradient of the node's first output. */
  readonly dy: GraphTensor;
  /** Whether anybody needs the gradient of the node's input `index`. */
  needs(index: number): boolean;
}

/** Gradients of a node's inputs, in their order; null where nobody needs one, nothing behind the last one that has any. */
export type GradientRule = (inputs: RuleInputs) => (GraphTensor | null)[];

/** By TensorFlow's operation. An operation without a rule can't lie between a parameter and the loss. */
export const GRADIENT_RULES: ReadonlyMap<string, GradientRule> = new Map<string, GradientRule>([
  [
    "MatMul",
    ({ graph, node, dy, needs }) => {
      const [a, b] = operands(node);
      if (isTransposed(node)) throw new RangeError("there is no gradient rule for a MatMul that transposes");
      return [
        needs(0) ? matMul(graph, dy, b, { transposeB: true }) : null,
        needs(1) ? matMul(graph, a, dy, { transposeA: true }) : null,
      ];
    },
  ],
  [
    "BiasAdd",
    ({ graph, dy, needs }) => [dy, needs(1) ? biasAddGradient(graph, asMatrix(graph, behindPools(graph, dy))) : null],
  ],
  // The three take the output: it is there already, and for relu it has the sign of the input.
  ["Relu", ({ graph, node, dy }) => [isPooledRelu(graph, node, dy) ? dy : reluGradient(graph, dy, output(node))]],
  ["Tanh", ({ graph, node, dy }) => [binary(graph, "TanhGrad", output(node), dy)]],
  ["Sigmoid", ({ graph, node, dy }) => [binary(graph, "SigmoidGrad", output(node), dy)]],
  [
    "Softmax",
    ({ graph, node, dy }) => {
      const y = output(node);
      const last = y.shape.length - 1;
      const mean = reduce(graph, "Sum", binary(graph, "Mul", dy, y), { axes: [last], keep: true });
      return [binary(graph, "Mul", binary(graph, "Sub", dy, mean), y)];
    },
  ],
  [
    "Mul",
    ({ graph, node, dy, needs }) => {
      const [a, b] = operands(node);
      if (needs(1) && a.shape.length !== b.shape.length) throw new RangeError("Mul has no rule for a repeated factor");
      return [needs(0) ? binary(graph, "Mul", dy, b) : null, needs(1) ? binary(graph, "Mul", dy, a) : null];
    },
  ],
  [
    "AddV2",
    ({ node, dy, needs }) => {
      const [a, b] = operands(node);
      if (needs(1) && a.shape.join() !== b.shape.join())
        throw new RangeError("AddV2 has no rule for a repeated summand");
      return [dy, dy];
    },
  ],
  ["Cast", ({ graph, node, dy }) => [cast(graph, dy, operand(node).type)]],
  ["Reshape", ({ graph, node, dy }) => [likeInput(graph, node, dy)]],
  [
    "ConcatV2",
    ({ graph, node, dy, needs }) => {
      let first = 0;
      // The last input is the axis.
      return node.inputs.slice(0, -1).map(({ shape }, index) => {
        const [start, count] = [first, shape[1] ?? 0];
        first += count;
        return needs(index) ? columnsOf(graph, dy, start, count) : null;
      });
    },
  ],
  ["L2Loss", ({ graph, node, dy }) => [binary(graph, "Mul", operand(node), dy)]],
  [
    "Conv2D",
    ({ graph, node, dy, needs }) => [
      needs(0) ? conv2dInputGradient(graph, node, dy) : null,
      needs(1) ? conv2dKernelGradient(graph, node, dy) : null,
    ],
  ],
  ["MaxPool", ({ graph, node, dy }) => [maxPoolGradient(graph, node, throughRelu(graph, node, dy))]],
  ["AvgPool", ({ graph, node, dy }) => [avgPoolGradient(graph, node, dy)]],
  ["FusedBatchNormV3", ({ graph, node, dy }) => fusedBatchNormGradient(graph, node, dy)],
]);

/** With the input's own shape where all of it is known, else with the one it has as the graph runs. */
function likeInput(graph: GraphBuilder, node: GraphNode, dy: GraphTensor): GraphTensor {
  const x = operand(node);
  if (x.shape.filter((size) => size === -1).length <= 1) return reshape(graph, dy, x.shape);
  const attributes = { T: typeOf(x.type), Tshape: typeOf("int32") };
  return graph.addOne({ op: "Reshape", inputs: [dy, shapeOf(graph, x)], attributes, outputs: [x] });
}

function reluGradient(graph: GraphBuilder, dy: GraphTensor, y: GraphTensor): GraphTensor {
  return binary(graph, "ReluGrad", dy, y);
}

/**
 * Of pooling that follows a relu: the relu's gradient is taken here already, where there are fewer numbers (a quarter, with the usual windows of 2 × 2).
 * Where the greatest of a window is not positive, nothing passes either way.
 */
function throughRelu(graph: GraphBuilder, node: GraphNode, dy: GraphTensor): GraphTensor {
  return graph.sourceOf(operand(node))?.op === "Relu" ? reluGradient(graph, dy, output(node)) : dy;
}

/** All that comes to this relu comes through pooling, see {@link throughRelu}. */
function isPooledRelu(graph: GraphBuilder, relu: GraphNode, dy: GraphTensor): boolean {
  const source = graph.sourceOf(dy);
  return source?.op === "MaxPoolGrad" && source.inputs[0]?.name === output(relu).name;
}

/**
 * What maximum pooling spreads over an image has the sums, by channel, of what came to it: each number goes to one place, whatever the windows.
 * So what is summed alone is summed before that, where there are fewer numbers.
 */
function behindPools(graph: GraphBuilder, dy: GraphTensor): GraphTensor {
  const source = graph.sourceOf(dy);
  const pooled = source?.op === "MaxPoolGrad" ? source.inputs[2] : undefined;
  return pooled === undefined ? dy : behindPools(graph, pooled);
}

/**
 * TensorFlow's optimizer computes the gradients of a convolution's kernel and bias as one operation where both take the same tensor; it takes up to
 * twice as long as the two (with one input channel: 1.7 ms and 1.1). A matrix is another tensor, for nothing.
 */
function asMatrix(graph: GraphBuilder, dy: GraphTensor): GraphTensor {
  return dy.shape.length === 2 ? dy : reshape(graph, dy, [-1, dy.shape.at(-1) ?? 1]);
}

function operand({ op, inputs }: GraphNode): GraphTensor {
  const [x] = inputs;
  if (x === undefined) throw new RangeError(`${op} has no input`);
  return x;
}

function operands(node: GraphNode): [GraphTensor, GraphTensor] {
  const second = node.inputs[1];
  if (second === undefined) throw new RangeError(`${node.op} has one input`);
  return [operand(node), second];
}

function output({ op, outputs }: GraphNode): GraphTensor {
  const [y] = outputs;
  if (y === undefined) throw new RangeError(`${op} has no output`);
  return y;
}

function isTransposed({ attributes }: GraphNode): boolean {
  return [attributes["transpose_a"], attributes["transpose_b"]].some((flag) => flag?.kind === "bool" && flag.value);
}
