import { INPUT_ROWS, type LayerStack } from "../../shared/layer-shape.js";
import type { Activation, LayerSpec } from "../../shared/model-spec.js";
import { unreachable } from "../../shared/unreachable.js";
import type { HiddenBlock, NetworkDefinition, WeightedBlock } from "./network-definition.js";

/** The blocks of a network. */
export type NetworkBlocks = Pick<NetworkDefinition, "input" | "hidden"> & { readonly output: WeightedBlock };

/** What blocks alone don't say. */
export interface LayerSettings {
  /** Of the output. */
  readonly activation: Activation;
  /** Initial bias of the first layer with weights. */
  readonly biasInput?: number | undefined;
  /** Initial bias of all others. */
  readonly biasHidden?: number | undefined;
}

export interface NetworkLayers extends LayerStack {
  /** Of each layer: the place of its block in `hidden`; the output's is behind them. */
  readonly blocks: readonly number[];
}

/**
 * A network's layers: a block is one, or, normalised, up to three (weights, normalisation, activation). A layer has the name of its block, made
 * safe for files and unique. Pure; O(blocks).
 */
export function networkLayers({ input, hidden, output }: NetworkBlocks, settings: LayerSettings): NetworkLayers {
  const all: HiddenBlock[] = [...hidden, { ...output, activation: settings.activation }];
  const names = new UniqueNames(all.map(({ id }) => id));
  const layers: LayerSpec[] = [];
  const blocks: number[] = [];
  /** Name of what comes out, by place of the block. */
  const outlets: string[] = [];
  let hasWeights = false;
  for (const [place, block] of all.entries()) {
    const initialBias = (hasWeights ? settings.biasHidden : settings.biasInput) ?? 0;
    const from = (block.shortcuts ?? []).map((source) => (source < 0 ? INPUT_ROWS : (outlets[source] ?? INPUT_ROWS)));
    const made = blockLayers(block, { name: names.of(place), initialBias, from, nameOf: (base) => names.more(base) });
    hasWeights ||= made.some((layer) => "initialBias" in layer);
    for (const layer of made) {
      layers.push(layer);
      blocks.push(place);
    }
    outlets.push(made.at(-1)?.name ?? INPUT_ROWS);
  }
  return { inputs: input.size, inputShape: input.image, layers, blocks };
}

interface BlockSettings {
  readonly name: string;
  readonly initialBias: number;
  /** Names of the layers that shortcuts lead from. */
  readonly from: readonly string[];
  /** A free name that starts like that. */
  nameOf(base: string): string;
}

/** The layers of one block. An activation that is not known is linear. Pure. */
export function blockLayers(block: HiddenBlock, settings: BlockSettings): LayerSpec[] {
  const { layer, normalisation } = block;
  const { name, nameOf } = settings;
  const activation = block.activation ?? "linear";
  if (normalisation === undefined) return [mainLayer(block, activation, settings)];
  if (layer !== undefined && layer.kind !== "conv2d") throw new RangeError(`${layer.kind} is not normalised`);
  return [
    mainLayer(block, "linear", settings),
    { kind: "batchNorm", name: nameOf(`${name}_norm`), ...normalisation },
    ...(activation === "linear"
      ? []
      : [{ kind: "activation", name: nameOf(`${name}_activation`), activation } as const]),
  ];
}

function mainLayer({ layer, size, l2 }: HiddenBlock, activation: Activation, settings: BlockSettings): LayerSpec {
  const { name, initialBias, from } = settings;
  const penalty = l2 === undefined ? {} : { l2 };
  if (layer === undefined) {
    const shortcuts = from.length === 0 ? {} : { from: [...from] };
    return { kind: "dense", name, units: size, activation, initialBias, ...penalty, ...shortcuts };
  }
  switch (layer.kind) {
    case "conv2d": {
      const { kind, filters, padding } = layer;
      const [kernel, stride] = [pair(layer.kernel), pair(layer.stride)];
      return { kind, name, filters, kernel, stride, padding, activation, initialBias, ...penalty };
    }
    case "maxPool":
    case "avgPool":
      return { kind: layer.kind, name, window: pair(layer.window), stride: pair(layer.stride), padding: layer.padding };
    case "activation":
      return { kind: layer.kind, name, activation };
    case "flatten":
    case "dropout":
    case "batchNorm":
      return { ...layer, name };
    default:
      return unreachable(layer);
  }
}

function pair([height, width]: readonly [number, number]): [number, number] {
  return [height, width];
}

/** Layer names for tensors and files. */
class UniqueNames {
  readonly #taken = new Set<string>();
  readonly #names: readonly string[];

  constructor(ids: readonly string[]) {
    this.#names = ids.map((id) => this.more(id.replaceAll(/[^A-Za-z0-9._-]/g, "_") || "layer"));
  }

  of(place: number): string {
    return this.#names[place] ?? `layer_${place}`;
  }

  more(base: string): string {
    let name = base;
    for (let count = 2; this.#taken.has(name); count++) name = `${base}_${count}`;
    this.#taken.add(name);
    return name;
  }
}
