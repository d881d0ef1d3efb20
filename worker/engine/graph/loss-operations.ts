import type { GraphBuilder } from "./graph-builder.js";
import type { ElementType, GraphTensor } from "./graph-node.js";
import { boolOf, misfit, typeOf } from "./operations.js";

/** What only losses and metrics use; none of it is differentiated. Checked as in `operations.ts`. */

/** Per row −log softmax(logits)[label], and its gradient with respect to the logits. */
export function sparseSoftmaxCrossEntropy(
  graph: GraphBuilder,
  logits: GraphTensor,
  labels: GraphTensor,
): { readonly loss: GraphTensor; readonly gradient: GraphTensor } {
  if (logits.shape.length !== 2 || labels.shape.length !== 1 || labels.type !== "int32") {
    throw misfit("SparseSoftmaxCrossEntropyWithLogits", [logits, labels]);
  }
  const { outputs } = graph.add({
    op: "SparseSoftmaxCrossEntropyWithLogits",
    inputs: [logits, labels],
    attributes: { T: typeOf(logits.type), Tlabels: typeOf(labels.type) },
    outputs: [{ type: logits.type, shape: labels.shape }, logits],
  });
  const [loss, gradient] = outputs;
  if (loss === undefined || gradient === undefined) throw new RangeError("cross-entropy has two outputs");
  return { loss, gradient };
}

/** `[n]` class numbers → `[n, depth]` of float64: 1 at the class, else 0. */
export function oneHot(graph: GraphBuilder, labels: GraphTensor, depth: number): GraphTensor {
  if (labels.shape.length !== 1 || labels.type !== "int32") throw misfit("OneHot", [labels]);
  const constants = [
    graph.constant("int32", [depth], []),
    graph.constant("float64", [1], []),
    graph.constant("float64", [0], []),
  ];
  return graph.addOne({
    op: "OneHot",
    inputs: [labels, ...constants],
    attributes: { T: typeOf("float64"), TI: typeOf("int32"), axis: { kind: "int", value: -1 } },
    outputs: [{ type: "float64", shape: [...labels.shape, depth] }],
  });
}

/** The column of the largest value of each row of `[n, k]`, as int32. */
export function argMax(graph: GraphBuilder, x: GraphTensor): GraphTensor {
  const axis = graph.constant("int32", [1], []);
  const attributes = { T: typeOf(x.type), Tidx: typeOf("int32"), output_type: typeOf("int32") };
  const outputs = [{ type: "int32", shape: x.shape.slice(0, 1) }] as const;
  return graph.addOne({ op: "ArgMax", inputs: [x, axis], attributes, outputs });
}

export function compare(graph: GraphBuilder, op: "Equal" | "Greater", a: GraphTensor, b: GraphTensor): GraphTensor {
  if (a.type !== b.type || (b.shape.length !== 0 && a.shape.join() !== b.shape.join())) throw misfit(op, [a, b]);
  const own = op === "Equal" ? { incompatible_shape_error: boolOf(true) } : {};
  const outputs = [{ type: "bool", shape: a.shape }] as const;
  return graph.addOne({ op, inputs: [a, b], attributes: { T: typeOf(a.type), ...own }, outputs });
}

export function isNan(graph: GraphBuilder, x: GraphTensor): GraphTensor {
  const outputs = [{ type: "bool", shape: x.shape }] as const;
  return graph.addOne({ op: "IsNan", inputs: [x], attributes: { T: typeOf(x.type) }, outputs });
}

/** `a` and not `b`. */
export function andNot(graph: GraphBuilder, a: GraphTensor, b: GraphTensor): GraphTensor {
  if (a.type !== "bool" || b.type !== "bool") throw misfit("LogicalAnd", [a, b]);
  const not = graph.addOne({ op: "LogicalNot", inputs: [b], outputs: [b] });
  return graph.addOne({ op: "LogicalAnd", inputs: [a, not], outputs: [a] });
}

/** Scalars one after the other, `[n]`. */
export function pack(graph: GraphBuilder, scalars: readonly GraphTensor[]): GraphTensor {
  const [first] = scalars;
  if (first === undefined || scalars.some(({ shape, type }) => shape.length !== 0 || type !== first.type)) {
    throw misfit("Pack", scalars);
  }
  const count = { kind: "int", value: scalars.length } as const;
  const attributes = { T: typeOf(first.type), N: count, axis: { kind: "int", value: 0 } } as const;
  return graph.addOne({ op: "Pack", inputs: scalars, attributes, outputs: [{ ...first, shape: [scalars.length] }] });
}

/** The same bytes as another type of half the size: `[n]` of float64 → `[n, 2]` of int32. */
export function bitcast(graph: GraphBuilder, x: GraphTensor, type: ElementType): GraphTensor {
  if (x.type !== "float64" || type !== "int32") throw misfit(`Bitcast to ${type}`, [x]);
  const attributes = { T: typeOf(x.type), type: typeOf(type) };
  return graph.addOne({ op: "Bitcast", inputs: [x], attributes, outputs: [{ type, shape: [...x.shape, 2] }] });
}
