import { layerOutput, type RowShape, widthOf } from "../../shared/layer-shape.js";
import { type LayerSpec, parametersOf } from "../../shared/model-spec.js";
import type { BlockReading } from "./block-reading.js";
import { invalidAt, quote, unsupportedAt } from "./document-error.js";
import type { HiddenBlock, InputBlock, WeightedBlock } from "./network-definition.js";
import { blockLayers, type NetworkBlocks, networkLayers } from "./network-layers.js";
import type { OrderedBlocks } from "./order-blocks.js";
import type { XmlElement } from "./xml-element.js";

const maxWeights = 2 ** 29;
const maxRow = 2 ** 27;

/** Blocks whose shapes fit each other. Activations and l2 are those that the blocks themselves give. */
export interface SettledBlocks {
  readonly input: InputBlock;
  readonly hidden: readonly HiddenBlock[];
  readonly output: WeightedBlock;
  readonly warnings: readonly string[];
}

export interface BlocksToSettle extends OrderedBlocks {
  /** The `<structure>`. */
  readonly structure: XmlElement;
  readonly input: BlockReading;
  readonly output: BlockReading;
}

/**
 * Follows a row from the input to the output: what comes out of each block, and whether the next one can take it. Cost O(blocks).
 *
 * @throws RingstrasseError DOCUMENT_INVALID, at the block: images into a dense block, flat rows into a convolution, a window larger than its
 *   image, a dimension that is not what comes out; DOCUMENT_UNSUPPORTED: more than 2^29 weights, or rows of more than 2^27 numbers
 */
export function settleBlocks(blocks: BlocksToSettle): SettledBlocks {
  const { structure, input: inputReading, hidden: readings, output: outputReading } = blocks;
  const image = inputReading.dimension?.image ?? null;
  const shaped = image === null ? assumedImage(blocks) : { image, warnings: [] };
  const inputSize = sizeOf(inputReading);
  let row: RowShape = shaped.image ?? [inputSize];
  const hidden = readings.map((reading): HiddenBlock => {
    const before = row;
    row = shapeBehind(reading, before);
    checkDimension(reading, row);
    return {
      ...common(reading, widthOf(row), blocks),
      activation: reading.activation,
      ...(reading.layer === null ? {} : { layer: reading.layer }),
      ...(reading.normalisation === null ? {} : { normalisation: reading.normalisation }),
      ...(row.length === 1 ? {} : { shape: row }),
    };
  });
  shapeBehind(outputReading, row);
  const output: WeightedBlock = common(outputReading, sizeOf(outputReading), blocks);
  checkDimension(outputReading, [output.size]);
  const input: InputBlock = {
    id: inputReading.id,
    size: inputSize,
    path: inputReading.element.place.elementPath,
    ...(shaped.image === null ? {} : { image: shaped.image }),
  };
  checkWeights(structure, { input, hidden, output });
  return { input, hidden, output, warnings: shaped.warnings };
}

function common(reading: BlockReading, size: number, { input, hidden, shortcuts }: BlocksToSettle): WeightedBlock {
  const path = [input, ...hidden];
  const sources = shortcuts.filter(({ to }) => to === reading).map(({ from }) => path.indexOf(from) - 1);
  return {
    id: reading.id,
    size,
    path: reading.element.place.elementPath,
    ...(reading.l2 === null ? {} : { l2: reading.l2 }),
    ...(sources.length === 0 ? {} : { shortcuts: sources.sort((a, b) => a - b) }),
  };
}

/** A convolution or pooling block that comes first needs an image: without a dimension, a square grey one. */
function assumedImage({ input, hidden }: BlocksToSettle): Pick<SettledBlocks, "warnings"> & {
  readonly image: readonly [number, number, number] | null;
} {
  const first = hidden.find(({ layer }) => layer === null || "stride" in layer || layer.kind === "flatten");
  if (first?.layer == null || !("stride" in first.layer)) return { image: null, warnings: [] };
  const size = sizeOf(input);
  const side = Math.round(Math.sqrt(size));
  if (side * side !== size) {
    const problem = `the block ${quote(first.id)} takes images, and an input of the size ${size} is no square one`;
    throw invalidAt(
      input.element.place,
      problem,
      "Give the input a <dimension>: height, width and channels, e.g. 28x28x1",
    );
  }
  const { elementPath } = input.element.place;
  const warning = `${elementPath}: the dimension does not say height, width and channels; ${side}x${side}x1 is taken`;
  return { image: [side, side, 1], warnings: [warning] };
}

/** What comes out of all layers of a block. */
function shapeBehind(reading: BlockReading, before: RowShape): RowShape {
  const { layer, id, element } = reading;
  if (layer === null && before.length > 1) {
    const problem = `the block ${quote(id)} is dense, and takes flat rows, not images of ${before.join(" × ")}`;
    throw invalidAt(element.place, problem, "Put a block with the ID Flatten before it");
  }
  if (layer !== null && "stride" in layer && before.length === 1) {
    const problem = `the block ${quote(id)} takes images, and what comes before it are flat rows`;
    throw invalidAt(element.place, problem, "Put it before the first Flatten or dense block");
  }
  let row = before;
  for (const each of draftLayers(reading)) {
    const output = layerOutput(each, row);
    if (typeof output === "string") {
      const problem = `the block ${quote(id)} does not fit: ${output.replace(/;.*$/, "")}`;
      throw invalidAt(element.place, problem, "Make its window or kernel smaller, or its padding same");
    }
    row = output;
  }
  if (widthOf(row) <= maxRow) return row;
  const problem = `${row.join(" × ")} numbers of a row come out of the block ${quote(id)}`;
  throw unsupportedAt(element.place, problem, [`at most ${maxRow} numbers in a row`]);
}

function draftLayers(reading: BlockReading): LayerSpec[] {
  const { layer, normalisation, size } = reading;
  const block: HiddenBlock = {
    id: "",
    path: "",
    size: size ?? 1,
    activation: null,
    ...(layer === null ? {} : { layer }),
    ...(normalisation === null ? {} : { normalisation }),
  };
  return blockLayers(block, { name: "block", initialBias: 0, from: [], nameOf: (base) => base });
}

/** An image's sizes must be what comes out; a number is 1, or the size. */
function checkDimension({ id, dimension, layer }: BlockReading, row: RowShape): void {
  if (dimension === null) return;
  const { image, value, element } = dimension;
  const said = image ?? (layer === null || value === 1 ? null : [value ?? 1]);
  if (said === null || said.join() === row.join() || (image === null && value === widthOf(row))) return;
  // A convolution's dimension may be its size, the number of filters.
  if (layer?.kind === "conv2d" && value === layer.filters) return;
  const problem = `dimension is ${said.join(" × ")}, but ${row.join(" × ")} comes out of the block ${quote(id)}`;
  throw invalidAt(element.place, problem, "Correct it, or leave it out");
}

function sizeOf({ size, element }: BlockReading): number {
  if (size === null) throw invalidAt(element.place, `<${element.name}> has no <size>`, "Add a <size> element");
  return size;
}

function checkWeights(structure: XmlElement, blocks: NetworkBlocks): void {
  const weights = weightsOf(blocks).reduce((sum, block) => sum + block, 0);
  if (weights <= maxWeights) return;
  throw unsupportedAt(structure.place, `the network has ${weights} weights`, [`at most ${maxWeights} weights in all`]);
}

/** Trainable numbers of each hidden block and, behind them, of the output. Pure. */
export function weightsOf(network: NetworkBlocks): number[] {
  const layers = networkLayers(network, { activation: "linear" });
  const weights = Array<number>(network.hidden.length + 1).fill(0);
  for (const { layer, shape } of parametersOf(layers)) {
    const block = layers.blocks[layer] ?? 0;
    weights[block] = (weights[block] ?? 0) + widthOf(shape);
  }
  return weights;
}
