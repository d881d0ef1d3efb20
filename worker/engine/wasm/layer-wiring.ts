import { layerWithShapes } from "../../../shared/layer-shape.js";
import type { ModelSpec } from "../../../shared/model-spec.js";
import type { Tensor, Tensors } from "./tensors.js";

/** Rows of a computation: `[0]` are the rows themselves, `[i + 1]` comes out of layer i. */
export type LayerOutputs = readonly Tensor[];

/** Which layers feed which: the previous one and, in front of fully connected layers, those that shortcuts lead from. */
export class LayerWiring {
  /** Per layer, places in {@link LayerOutputs}. */
  readonly #sources: readonly (readonly number[])[];

  constructor(model: ModelSpec) {
    this.#sources = layerWithShapes(model).map(({ shortcuts }, index) => [index, ...shortcuts.map((from) => from + 1)]);
  }

  /** What goes into a layer, from what came out of those before it. */
  inputOf(tensors: Tensors, layer: number, outputs: LayerOutputs): Tensor {
    const parts = this.#sourcesOf(layer).map((source) => outputs[source] as Tensor);
    return parts.length === 1 ? (parts[0] as Tensor) : joinColumns(tensors, parts);
  }

  /**
   * Hands the gradient of a layer's input on to those that it came from: adds it to `gradients`, in the order of {@link LayerOutputs}. The
   * rows themselves need none.
   */
  handBack(
    tensors: Tensors,
    layer: number,
    pass: { gradient: Tensor; outputs: LayerOutputs; gradients: Tensor[] },
  ): void {
    const { gradient, outputs, gradients } = pass;
    const sources = this.#sourcesOf(layer);
    let first = 0;
    for (const source of sources) {
      const count = (outputs[source] as Tensor).columns;
      if (source > 0) {
        const part = sources.length === 1 ? gradient : columnsOf(tensors, gradient, { first, count });
        const known = gradients[source];
        gradients[source] = known === undefined ? part : tensors.add(known, part);
      }
      first += count;
    }
  }

  #sourcesOf(layer: number): readonly number[] {
    return this.#sources[layer] ?? [layer];
  }
}

function joinColumns(tensors: Tensors, parts: readonly Tensor[]): Tensor {
  const rows = parts[0]?.rows ?? 0;
  const columns = parts.reduce((sum, part) => sum + part.columns, 0);
  const joined = new Float32Array(rows * columns);
  let first = 0;
  for (const part of parts) {
    const values = tensors.view(part);
    for (let row = 0; row < rows; row++) {
      joined.set(values.subarray(row * part.columns, (row + 1) * part.columns), row * columns + first);
    }
    first += part.columns;
  }
  return tensors.upload(joined, rows, columns);
}

function columnsOf(tensors: Tensors, x: Tensor, { first, count }: { first: number; count: number }): Tensor {
  const values = tensors.view(x);
  const chosen = new Float32Array(x.rows * count);
  for (let row = 0; row < x.rows; row++) {
    const start = row * x.columns + first;
    chosen.set(values.subarray(start, start + count), row * count);
  }
  return tensors.upload(chosen, x.rows, count);
}
