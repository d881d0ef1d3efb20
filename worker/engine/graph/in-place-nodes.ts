import type { GraphBuilder } from "./graph-builder.js";
import type { GraphTensor } from "./graph-node.js";
import { named, placeholder, reshape, typeOf } from "./operations.js";

/**
 * Writing gradients where they belong. TensorFlow takes a fed buffer as it is, without a copy, when it is aligned to 64 bytes, and
 * `InplaceUpdate` writes into the buffer it is given: together the graph fills the caller's own memory. Both are properties of the library that
 * no interface promises, so there are nodes to check them with.
 */
export interface InPlaceNodes {
  /** Fed. The memory of each tensor's gradient, float32 `[1, elements]`, in the order of the layout. */
  readonly into: readonly GraphTensor[];
  /** Fetched instead of `sums`, once all gradients are written. */
  readonly sums: GraphTensor;
  /** Fed with a number, fetched as `probed`: writes the number into every element of `into`. */
  readonly probe: GraphTensor;
  readonly probed: GraphTensor;
  /** Fetched. The first element of each tensor, `[tensors]`: what the graph sees of the parameters. */
  readonly firstElements: GraphTensor;
}

export interface InPlaceInputs {
  readonly slots: readonly { readonly length: number }[];
  readonly tensors: readonly GraphTensor[];
  readonly gradients: readonly GraphTensor[];
  readonly sums: GraphTensor;
}

export function addInPlace(graph: GraphBuilder, { slots, tensors, gradients, sums }: InPlaceInputs): InPlaceNodes {
  const probe = placeholder(graph, "probe", "float32", []);
  const into = slots.map(({ length }, index) => placeholder(graph, `into_${index}`, "float32", [1, length]));
  const written = into.map((place, index) => {
    const gradient = gradients[index];
    if (gradient === undefined) throw new RangeError(`there is no gradient ${index}`);
    return update(graph, place, reshape(graph, gradient, place.shape));
  });
  const filled = into.map((place) => update(graph, place, fill(graph, place.shape, probe)));
  return {
    into,
    sums: named(graph, "sums_in_place", sums, written),
    probe,
    probed: named(graph, "probed", probe, filled),
    firstElements: named(
      graph,
      "first_elements",
      concatenate(
        graph,
        tensors.map((x) => firstElement(graph, x)),
      ),
    ),
  };
}

/** Row 0 of `place` becomes `value`; gives the node's name. */
function update(graph: GraphBuilder, place: GraphTensor, value: GraphTensor): string {
  const row = graph.constant("int32", [0], [1]);
  const attributes = { T: typeOf("float32") };
  return graph.add({ op: "InplaceUpdate", inputs: [place, row, value], attributes, outputs: [place] }).name;
}

function fill(graph: GraphBuilder, shape: readonly number[], value: GraphTensor): GraphTensor {
  const sizes = graph.constant("int32", shape, [shape.length]);
  const attributes = { T: typeOf("float32"), index_type: typeOf("int32") };
  return graph.addOne({ op: "Fill", inputs: [sizes, value], attributes, outputs: [{ type: "float32", shape }] });
}

function firstElement(graph: GraphBuilder, x: GraphTensor): GraphTensor {
  const flat = reshape(graph, x, [x.shape.reduce((n, size) => n * size, 1)]);
  const [begin, size] = [graph.constant("int32", [0], [1]), graph.constant("int32", [1], [1])];
  const attributes = { T: typeOf(x.type), Index: typeOf("int32") };
  return graph.addOne({
    op: "Slice",
    inputs: [flat, begin, size],
    attributes,
    outputs: [{ type: x.type, shape: [1] }],
  });
}

function concatenate(graph: GraphBuilder, parts: readonly GraphTensor[]): GraphTensor {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const axis = graph.constant("int32", [0], []);
  const count = { kind: "int", value: parts.length } as const;
  const attributes = { T: typeOf("float32"), Tidx: typeOf("int32"), N: count };
  const outputs = [{ type: "float32", shape: [parts.length] }] as const;
  return graph.addOne({ op: "ConcatV2", inputs: [...parts, axis], attributes, outputs });
}
