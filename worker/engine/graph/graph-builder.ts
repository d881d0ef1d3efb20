import type { Attributes, ElementType, GraphNode, GraphTensor } from "./graph-node.js";

export interface NodeToAdd {
  readonly op: string;
  readonly inputs?: readonly GraphTensor[];
  readonly attributes?: Attributes;
  /** Type and shape of each output. */
  readonly outputs: readonly { readonly type: ElementType; readonly shape: readonly number[] }[];
  /** Absent: made from the op, `MatMul`, `MatMul_1`, … */
  readonly name?: string;
  readonly after?: readonly string[];
}

/**
 * Collects the nodes of one graph, in an order in which they can be computed. Pure: the same calls give the same graph. What may be
 * added is up to `operations.ts`, which checks types and shapes.
 */
export class GraphBuilder {
  readonly #nodes = new Map<string, GraphNode>();
  readonly #counts = new Map<string, number>();
  readonly #constants = new Map<string, GraphTensor>();

  get nodes(): readonly GraphNode[] {
    return [...this.#nodes.values()];
  }

  /** @throws RangeError when the name is taken. */
  add({ op, inputs = [], attributes = {}, outputs, name, after = [] }: NodeToAdd): GraphNode {
    const chosen = name ?? this.#freeName(op);
    if (this.#nodes.has(chosen)) throw new RangeError(`the graph has a node ${chosen} already`);
    const node = {
      name: chosen,
      op,
      inputs,
      after,
      attributes,
      outputs: outputs.map(({ type, shape }, index) => ({
        name: index === 0 ? chosen : `${chosen}:${index}`,
        type,
        shape,
      })),
    };
    this.#nodes.set(chosen, node);
    return node;
  }

  /** The same as {@link add}, for a node with one output. */
  addOne(node: NodeToAdd): GraphTensor {
    const [output] = this.add(node).outputs;
    if (output === undefined) throw new RangeError(`${node.op} has no output`);
    return output;
  }

  /** The node whose first output `tensor` is; undefined: it is a later one. */
  sourceOf({ name }: GraphTensor): GraphNode | undefined {
    return this.#nodes.get(name);
  }

  /** Made once per content. */
  constant(type: "float32" | "float64" | "int32", values: readonly number[], shape: readonly number[]): GraphTensor {
    const key = `${type} [${shape.join()}] ${values.join()}`;
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const value = { kind: "tensor", type, shape, bytes: bytesOf(type, values) } as const;
    const attributes = { dtype: { kind: "type", value: type }, value } as const;
    const made = this.addOne({ op: "Const", attributes, outputs: [{ type, shape }] });
    this.#constants.set(key, made);
    return made;
  }

  #freeName(op: string): string {
    const count = this.#counts.get(op) ?? 0;
    this.#counts.set(op, count + 1);
    return count === 0 ? op : `${op}_${count}`;
  }
}

function bytesOf(type: "float32" | "float64" | "int32", values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * (type === "float64" ? 8 : 4));
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) {
    if (type === "float64") view.setFloat64(8 * index, value, true);
    else if (type === "float32") view.setFloat32(4 * index, value, true);
    else view.setInt32(4 * index, value, true);
  }
  return bytes;
}
