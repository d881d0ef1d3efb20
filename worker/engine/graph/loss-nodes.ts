import { type Activation, type Loss, type ModelSpec, outputsOf } from "../../../shared/model-spec.js";
import { unreachable } from "../../../shared/unreachable.js";
import type { GraphBuilder } from "./graph-builder.js";
import type { GraphTensor } from "./graph-node.js";
import { andNot, argMax, bitcast, compare, isNan, oneHot, pack, sparseSoftmaxCrossEntropy } from "./loss-operations.js";
import { binary, cast, reduce, reshape, sizeOf, unary } from "./operations.js";
import type { Seed } from "./reverse-pass.js";

export interface LossInputs {
  readonly model: ModelSpec;
  /** Activation of the last layer. */
  readonly activation: Activation;
  /** Weighted sums of the last layer, float32 `[-1, outputs]`. */
  readonly logits: GraphTensor;
  /** The rows, if a layer may lose the NaN in them; null otherwise. */
  readonly suspects: GraphTensor | null;
  /** Classes, int32 `[-1]`, or values, float32 `[-1, outputs]`. */
  readonly targets: GraphTensor;
  /** Added to the loss of each row; float64 scalar, null: nothing. */
  readonly penalty: GraphTensor | null;
  readonly crossEntropy: CrossEntropy;
}

/**
 * Of the softmax: `fused` is one operation and the fastest on processors; on GPUs the library refuses it where all operations have to give
 * the same bits each time, so there it is `composed` of several that do.
 */
export type CrossEntropy = "fused" | "composed";

export interface LossNodes {
  /** Activated outputs, float32 `[-1, outputs]`. */
  readonly outputs: GraphTensor;
  /** lossSum, correct, absoluteErrorSum: float64, as pairs of int32 `[3, 2]`, since the binding can't read float64. */
  readonly sums: GraphTensor;
  /** Rows of the batch, float64 scalar. */
  readonly rows: GraphTensor;
  /** The gradient of the loss sum, without the penalty. */
  readonly seed: Seed;
}

interface Head {
  readonly model: ModelSpec;
  readonly crossEntropy: CrossEntropy;
  readonly activated: GraphTensor;
  readonly targets: GraphTensor;
  readonly logits: GraphTensor;
  /** activated − targets */
  readonly error: GraphTensor;
}

/**
 * Last activation, loss, metrics and the gradient that the reverse pass starts from: what `loss-head.ts` does, as part of a graph, in
 * float64 like there.
 */
export function addLoss(graph: GraphBuilder, inputs: LossInputs): LossNodes {
  const { model, activation, targets, penalty, crossEntropy } = inputs;
  const sums = cast(graph, inputs.logits, "float64");
  const { suspects } = inputs;
  const logits = suspects === null ? sums : binary(graph, "AddV2", sums, notANumber(graph, suspects));
  const activated = activate(graph, activation, logits);
  const outputs = cast(graph, activated, "float32");
  const error = binary(graph, "Sub", activated, targetValues(graph, model, targets));
  const head = { model, crossEntropy, activated, targets, logits, error };
  const { rowLoss, seed } = lossOf(graph, head);
  const rows = cast(graph, sizeOf(graph, rowLoss), "float64");
  const dataLoss = reduce(graph, "Sum", rowLoss, { axes: [0] });
  const lossSum = penalty === null ? dataLoss : binary(graph, "AddV2", dataLoss, binary(graph, "Mul", penalty, rows));
  const zero = graph.constant("float64", [0], []);
  const metrics =
    model.targets.kind === "class"
      ? [correct(graph, outputs, targets, rowLoss), zero]
      : [zero, reduce(graph, "Sum", absoluteErrors(graph, head), { axes: [0] })];
  return { outputs, sums: bitcast(graph, pack(graph, [lossSum, ...metrics]), "int32"), rows, seed };
}

/**
 * NaN for a row that has one (or infinities of both signs), else 0, `[-1, 1]`. TensorFlow computes product, bias and relu as one
 * operation, which turns NaN into 0; bad rows must show all the same.
 */
function notANumber(graph: GraphBuilder, x: GraphTensor): GraphTensor {
  const flat = reshape(graph, x, [-1, x.shape.slice(1).reduce((product, size) => product * size, 1)]);
  // The row's sum has it, too, and is one operation over all elements instead of two.
  const sum = reduce(graph, "Sum", flat, { axes: [1], keep: true });
  const hasOne = cast(graph, isNan(graph, sum), "float64");
  const one = graph.constant("float64", [1], []);
  const divisor = binary(graph, "Sub", hasOne, one);
  return binary(graph, "Sub", binary(graph, "RealDiv", divisor, divisor), one);
}

/** An activation as nodes. */
export function activate(graph: GraphBuilder, activation: Activation, x: GraphTensor): GraphTensor {
  switch (activation) {
    case "linear":
      return x;
    case "relu":
      return unary(graph, "Relu", x);
    case "tanh":
      return unary(graph, "Tanh", x);
    case "sigmoid":
      return unary(graph, "Sigmoid", x);
    case "softmax":
      return unary(graph, "Softmax", x);
    default:
      return unreachable(activation);
  }
}

function targetValues(graph: GraphBuilder, model: ModelSpec, targets: GraphTensor): GraphTensor {
  const outputs = outputsOf(model);
  if (model.targets.kind === "values") return cast(graph, targets, "float64");
  if (outputs > 1) return oneHot(graph, targets, outputs);
  return reshape(graph, cast(graph, targets, "float64"), [-1, 1]);
}

function lossOf(graph: GraphBuilder, head: Head): { rowLoss: GraphTensor; seed: Seed } {
  const { logits, activated, error, targets } = head;
  const loss: Loss = head.model.loss;
  switch (loss) {
    case "softmaxCrossEntropy": {
      if (head.crossEntropy === "composed")
        return { rowLoss: composedCrossEntropy(graph, head), seed: { of: logits, gradient: error } };
      const nodes = sparseSoftmaxCrossEntropy(graph, logits, targets);
      return { rowLoss: nodes.loss, seed: { of: logits, gradient: nodes.gradient } };
    }
    case "sigmoidCrossEntropy": {
      const rowLoss = reduce(graph, "Mean", unary(graph, "Softplus", signedLogits(graph, head)), { axes: [1] });
      return { rowLoss, seed: { of: logits, gradient: overOutputs(graph, head, error) } };
    }
    case "meanSquaredError": {
      const rowLoss = reduce(graph, "Mean", unary(graph, "Square", error), { axes: [1] });
      const doubled = binary(graph, "Mul", error, graph.constant("float64", [2], []));
      return { rowLoss, seed: { of: activated, gradient: overOutputs(graph, head, doubled) } };
    }
    case "meanAbsoluteError": {
      const gradient = overOutputs(graph, head, unary(graph, "Sign", error));
      return { rowLoss: absoluteErrors(graph, head), seed: { of: activated, gradient } };
    }
    default:
      return unreachable(loss);
  }
}

/** −log softmax(logits)[class] of each row; its gradient with respect to the logits is the error. */
function composedCrossEntropy(graph: GraphBuilder, { model, logits, targets }: Head): GraphTensor {
  const logarithms = unary(graph, "LogSoftmax", logits);
  const ofClass = binary(graph, "Mul", logarithms, targetValues(graph, model, targets));
  return unary(graph, "Neg", reduce(graph, "Sum", ofClass, { axes: [1] }));
}

/** −z where the target is 1, z where it is 0: softplus of it is the binary cross-entropy. */
function signedLogits(graph: GraphBuilder, { model, targets, logits }: Head): GraphTensor {
  const one = graph.constant("float64", [1], []);
  const doubled = binary(graph, "Mul", targetValues(graph, model, targets), graph.constant("float64", [-2], []));
  return binary(graph, "Mul", binary(graph, "AddV2", doubled, one), logits);
}

function overOutputs(graph: GraphBuilder, { model }: Head, gradient: GraphTensor): GraphTensor {
  return binary(graph, "RealDiv", gradient, graph.constant("float64", [outputsOf(model)], []));
}

function absoluteErrors(graph: GraphBuilder, { error }: Head): GraphTensor {
  return reduce(graph, "Mean", unary(graph, "Abs", error), { axes: [1] });
}

/** By the float32 outputs that predictions give; a row with NaN, which its loss has then, too, is never correct. */
function correct(graph: GraphBuilder, outputs: GraphTensor, classes: GraphTensor, rowLoss: GraphTensor): GraphTensor {
  const isSingle = outputs.shape[1] === 1;
  const above = () => compare(graph, "Greater", outputs, graph.constant("float32", [0.5], []));
  const predicted = isSingle ? cast(graph, reshape(graph, above(), [-1]), "int32") : argMax(graph, outputs);
  const isRight = andNot(graph, compare(graph, "Equal", predicted, classes), isNan(graph, rowLoss));
  return reduce(graph, "Sum", cast(graph, isRight, "float64"), { axes: [0] });
}
