import type { GraphBuilder } from "./graph-builder.js";
import { type Attributes, describeTensor, type ElementType, type GraphTensor } from "./graph-node.js";

/**
 * TensorFlow's operations with types and shapes checked when the graph is built, where a mistake can still be named. Each adds one node.
 * @throws RangeError when inputs don't fit the operation or each other: a mistake of the compiler.
 */
type Operation<Rest extends unknown[] = []> = (graph: GraphBuilder, ...inputs: [...Rest]) => GraphTensor;

export const typeOf = (value: ElementType) => ({ kind: "type", value }) as const;
export const boolOf = (value: boolean) => ({ kind: "bool", value }) as const;

/** A value that is fed when the graph runs. */
export function placeholder(
  graph: GraphBuilder,
  name: string,
  type: ElementType,
  shape: readonly number[],
): GraphTensor {
  const attributes = { dtype: typeOf(type), shape: { kind: "shape", value: shape } } as const;
  return graph.addOne({ op: "Placeholder", name, attributes, outputs: [{ type, shape }] });
}

/** Gives `x` a name to fetch it by, once the nodes `after` have run. */
export function named(graph: GraphBuilder, name: string, x: GraphTensor, after: readonly string[] = []): GraphTensor {
  return graph.addOne({ op: "Identity", name, inputs: [x], after, attributes: { T: typeOf(x.type) }, outputs: [x] });
}

/** `a · b` of matrices, either one transposed first if asked for. */
export function matMul(
  graph: GraphBuilder,
  a: GraphTensor,
  b: GraphTensor,
  { transposeA = false, transposeB = false } = {},
): GraphTensor {
  const [rows, inner] = matrixShape(a, transposeA);
  const [other, columns] = matrixShape(b, transposeB);
  if (inner !== other || a.type !== b.type) throw misfit("MatMul", [a, b]);
  const attributes = { T: typeOf(a.type), transpose_a: boolOf(transposeA), transpose_b: boolOf(transposeB) };
  return graph.addOne({
    op: "MatMul",
    inputs: [a, b],
    attributes,
    outputs: [{ type: a.type, shape: [rows, columns] }],
  });
}

/** Adds `bias: [n]` along the last axis of `x: […, n]`. */
export function biasAdd(graph: GraphBuilder, x: GraphTensor, bias: GraphTensor): GraphTensor {
  if (bias.shape.length !== 1 || bias.shape[0] !== x.shape.at(-1) || bias.type !== x.type) {
    throw misfit("BiasAdd", [x, bias]);
  }
  return graph.addOne({ op: "BiasAdd", inputs: [x, bias], attributes: channelsLast(x), outputs: [x] });
}

export function biasAddGradient(graph: GraphBuilder, dy: GraphTensor): GraphTensor {
  const shape = [dy.shape.at(-1) ?? 1];
  return graph.addOne({ op: "BiasAddGrad", inputs: [dy], attributes: channelsLast(dy), outputs: [{ ...dy, shape }] });
}

/** An operation on each element. */
export function unary(
  graph: GraphBuilder,
  op:
    | "Relu"
    | "Tanh"
    | "Sigmoid"
    | "Softmax"
    | "LogSoftmax"
    | "Softplus"
    | "Abs"
    | "Sign"
    | "Square"
    | "Neg"
    | "L2Loss",
  x: GraphTensor,
): GraphTensor {
  const shape = op === "L2Loss" ? [] : x.shape;
  return graph.addOne({ op, inputs: [x], attributes: { T: typeOf(x.type) }, outputs: [{ type: x.type, shape }] });
}

/** An operation on the elements of two tensors of one shape, or one that repeats `b`: a scalar, or one value per row `[…, 1]`. */
export function binary(
  graph: GraphBuilder,
  op: "AddV2" | "Sub" | "Mul" | "RealDiv" | "ReluGrad" | "TanhGrad" | "SigmoidGrad",
  a: GraphTensor,
  b: GraphTensor,
): GraphTensor {
  if (a.type !== b.type || !repeats(a.shape, b.shape)) throw misfit(op, [a, b]);
  return graph.addOne({
    op,
    inputs: [a, b],
    attributes: { T: typeOf(a.type) },
    outputs: [{ type: a.type, shape: a.shape }],
  });
}

export const cast: Operation<[x: GraphTensor, type: ElementType]> = (graph, x, type) => {
  const attributes = { SrcT: typeOf(x.type), DstT: typeOf(type), Truncate: boolOf(false) };
  return graph.addOne({ op: "Cast", inputs: [x], attributes, outputs: [{ type, shape: x.shape }] });
};

/** The same elements in another shape, with at most one −1. */
export const reshape: Operation<[x: GraphTensor, shape: readonly number[]]> = (graph, x, shape) => {
  if (!sameCount(x.shape, shape)) throw misfit(`Reshape to [${shape.join(", ")}]`, [x]);
  const sizes = graph.constant("int32", shape, [shape.length]);
  const attributes = { T: typeOf(x.type), Tshape: typeOf("int32") };
  return graph.addOne({ op: "Reshape", inputs: [x, sizes], attributes, outputs: [{ type: x.type, shape }] });
};

/** Matrices of the same rows side by side; one alone is itself, without a node. */
export const joinColumns: Operation<[parts: readonly GraphTensor[]]> = (graph, parts) => {
  const [first] = parts;
  if (first === undefined || parts.some(({ type, shape }) => shape.length !== 2 || type !== first.type)) {
    throw misfit("ConcatV2", parts);
  }
  if (parts.length === 1) return first;
  const columns = parts.reduce((sum, { shape }) => sum + (shape[1] ?? 0), 0);
  const count = { kind: "int", value: parts.length } as const;
  const attributes = { T: typeOf(first.type), Tidx: typeOf("int32"), N: count };
  const outputs = [{ type: first.type, shape: [-1, columns] }];
  return graph.addOne({ op: "ConcatV2", inputs: [...parts, graph.constant("int32", [1], [])], attributes, outputs });
};

/** `count` columns of the matrix `x`, from column `first` on. */
export const columnsOf: Operation<[x: GraphTensor, first: number, count: number]> = (graph, x, first, count) => {
  const columns = x.shape[1] ?? 0;
  if (x.shape.length !== 2 || first + count > columns) throw misfit(`Slice of ${first} to ${first + count}`, [x]);
  const [begin, size] = [graph.constant("int32", [0, first], [2]), graph.constant("int32", [-1, count], [2])];
  const attributes = { T: typeOf(x.type), Index: typeOf("int32") };
  const outputs = [{ type: x.type, shape: [-1, count] }];
  return graph.addOne({ op: "Slice", inputs: [x, begin, size], attributes, outputs });
};

/** Sum or mean along axes; kept as length 1 if asked for. */
export function reduce(
  graph: GraphBuilder,
  op: "Sum" | "Mean",
  x: GraphTensor,
  { axes, keep = false }: { readonly axes: readonly number[]; readonly keep?: boolean },
): GraphTensor {
  if (axes.some((axis) => axis < 0 || axis >= x.shape.length)) throw misfit(`${op} along ${axes.join()}`, [x]);
  const shape = keep
    ? x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
    : x.shape.filter((_, axis) => !axes.includes(axis));
  const attributes = { T: typeOf(x.type), Tidx: typeOf("int32"), keep_dims: boolOf(keep) };
  const along = graph.constant("int32", axes, [axes.length]);
  return graph.addOne({ op, inputs: [x, along], attributes, outputs: [{ type: x.type, shape }] });
}

/** The shape of `x` as the graph runs, `[rank]`. */
export const shapeOf: Operation<[x: GraphTensor]> = (graph, x) => {
  const attributes = { T: typeOf(x.type), out_type: typeOf("int32") };
  return graph.addOne({ op: "Shape", inputs: [x], attributes, outputs: [{ type: "int32", shape: [x.shape.length] }] });
};

/** How many elements `x` has as the graph runs, a scalar. */
export const sizeOf: Operation<[x: GraphTensor]> = (graph, x) => {
  const attributes = { T: typeOf(x.type), out_type: typeOf("int32") };
  return graph.addOne({ op: "Size", inputs: [x], attributes, outputs: [{ type: "int32", shape: [] }] });
};

export function channelsLast(x: GraphTensor): Attributes {
  return { T: typeOf(x.type), data_format: { kind: "string", value: "NHWC" } };
}

export function misfit(op: string, inputs: readonly GraphTensor[]): RangeError {
  return new RangeError(`${op} can't take ${inputs.map(describeTensor).join(" and ")}`);
}

function matrixShape({ shape }: GraphTensor, transposed: boolean): [number, number] {
  const [rows, columns] = shape;
  if (rows === undefined || columns === undefined || shape.length !== 2) {
    throw new RangeError(`[${shape.join(", ")}] is not the shape of a matrix`);
  }
  return transposed ? [columns, rows] : [rows, columns];
}

function repeats(a: readonly number[], b: readonly number[]): boolean {
  if (b.length === 0) return true;
  return a.length === b.length && a.every((size, axis) => size === b[axis] || (axis === a.length - 1 && b[axis] === 1));
}

/** With −1 on both sides, the known parts may differ by how rows are counted: `[-1, 4]` is `[-1, 2, 2]` and `[-1]`. */
function sameCount(a: readonly number[], b: readonly number[]): boolean {
  const known = (shape: readonly number[]) => shape.filter((size) => size !== -1).reduce((n, size) => n * size, 1);
  const open = (shape: readonly number[]) => shape.filter((size) => size === -1).length;
  if (open(b) > 1) return false;
  if (open(a) === 0 && open(b) === 0) return known(a) === known(b);
  if (open(a) === 0) return known(a) % known(b) === 0;
  return open(b) === 1;
}
