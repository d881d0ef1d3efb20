import type { RowShape, ShapedLayer } from "../layer-shape.js";
import { kerasLayer } from "./keras-layer.js";

/** A layer of a Keras functional model, with the layers whose outputs go into it. */
interface WiredLayer {
  readonly class_name: string;
  readonly name: string;
  readonly config: object;
  readonly inbound_nodes: readonly (readonly (readonly [string, 0, 0, object])[])[];
}

/**
 * The `config` of a Keras functional model: the layers as they are, in front of those with shortcuts a Concatenate, and a Flatten for each
 * source of images. What is added has no weights. Pure; O(layers + shortcuts).
 * @param rows shape of the rows that go in
 */
export function functionalModel(name: string, rows: RowShape, layers: readonly ShapedLayer[]): object {
  const wiring = new Wiring(layers.map(({ layer }) => layer.name));
  const input = wiring.add("InputLayer", "input", {
    config: { batch_input_shape: [null, ...rows], dtype: "float32", sparse: false },
    from: [],
  });
  const outputs: string[] = [];
  for (const shaped of layers) {
    const previous = outputs.at(-1) ?? input;
    const sources = shaped.shortcuts.map((index) => {
      const source = { name: outputs[index] ?? input, shape: layers[index]?.output ?? rows };
      return source.shape.length === 1 ? source.name : wiring.flattened(source.name);
    });
    const from = sources.length === 0 ? previous : wiring.joined(shaped.layer.name, [previous, ...sources]);
    outputs.push(wiring.addLayer(shaped, from));
  }
  const output = outputs.at(-1) ?? input;
  return { name, layers: wiring.layers, input_layers: [[input, 0, 0]], output_layers: [[output, 0, 0]] };
}

class Wiring {
  readonly layers: WiredLayer[] = [];
  readonly #taken: Set<string>;
  /** By the name of what is flattened. */
  readonly #flattened = new Map<string, string>();

  constructor(names: readonly string[]) {
    this.#taken = new Set(names);
  }

  addLayer(shaped: ShapedLayer, from: string): string {
    const { name } = shaped.layer;
    this.layers.push({ ...kerasLayer(shaped, false), name, inbound_nodes: inbound([from]) });
    return name;
  }

  add(className: string, base: string, { config, from }: { config: object; from: readonly string[] }): string {
    const name = this.#freeName(base);
    const own = { name, trainable: true, ...config };
    this.layers.push({ class_name: className, name, config: own, inbound_nodes: inbound(from) });
    return name;
  }

  flattened(source: string): string {
    const known = this.#flattened.get(source);
    if (known !== undefined) return known;
    const config = { dtype: "float32", data_format: "channels_last" };
    const name = this.add("Flatten", `${source}_flat`, { config, from: [source] });
    this.#flattened.set(source, name);
    return name;
  }

  joined(layer: string, from: readonly string[]): string {
    return this.add("Concatenate", `${layer}_inputs`, { config: { dtype: "float32", axis: -1 }, from });
  }

  #freeName(base: string): string {
    let name = base;
    for (let count = 2; this.#taken.has(name); count++) name = `${base}_${count}`;
    this.#taken.add(name);
    return name;
  }
}

function inbound(from: readonly string[]): WiredLayer["inbound_nodes"] {
  return from.length === 0 ? [] : [from.map((name) => [name, 0, 0, {}] as const)];
}
