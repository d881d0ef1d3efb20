/** Element types that step graphs use. */
export type ElementType = "float32" | "float64" | "bfloat16" | "int32" | "int64" | "bool";

/** One output of a node. `name` is TensorFlow's: `node` for output 0, `node:k` for others. */
export interface GraphTensor {
  readonly name: string;
  readonly type: ElementType;
  /** −1: as many as the batch has rows, or a multiple of that; known only when the graph runs. */
  readonly shape: readonly number[];
}

export type AttributeValue =
  | { readonly kind: "type"; readonly value: ElementType }
  | { readonly kind: "shape"; readonly value: readonly number[] }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "ints"; readonly value: readonly number[] }
  | {
      readonly kind: "tensor";
      readonly type: ElementType;
      readonly shape: readonly number[];
      readonly bytes: Uint8Array;
    };

export type Attributes = Readonly<Record<string, AttributeValue>>;

/** One operation of a graph, as TensorFlow names it. */
export interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly GraphTensor[];
  /** Nodes that have to have run before. */
  readonly after: readonly string[];
  readonly attributes: Attributes;
  readonly outputs: readonly GraphTensor[];
}

/** e.g. `float32 [-1, 10]`; for messages. */
export function describeTensor({ name, type, shape }: GraphTensor): string {
  return `${name}: ${type} [${shape.join(", ")}]`;
}
