import type { Activation } from "../../shared/model-spec.js";
import type { BlockReading } from "./block-reading.js";
import { invalidAt, quote, unsupportedAt } from "./document-error.js";
import { checkElement, childOf, childrenOf, foldName, leafText, requireChild, textOnly } from "./element-rule.js";
import type { NamedValue } from "./named-values.js";
import { byMeaning, readNamedValues } from "./named-values.js";
import { orderBlocks } from "./order-blocks.js";
import { isActivation, readActivation } from "./read-activation.js";
import { readNumber } from "./read-number.js";
import type { XmlElement } from "./xml-element.js";

/** What `<structure>` says. */
export interface StructureReading {
  readonly input: BlockReading;
  /** In the order of the connections, input to output. */
  readonly hidden: readonly BlockReading[];
  readonly output: BlockReading;
  readonly warnings: readonly string[];
}

const maxBlockSize = 1_000_000;
const maxWeights = 2 ** 29;

/** Layers that the IDs of a published dialect ask for; matched against the start of a folded ID. */
const otherLayers =
  /^(?:convolution|conv\d*(?:d\d*)?$|maxpool|averagepool|avgpool|flatten|dropout|lstm|gru|embedding|batchnorm)/;

/**
 * Reads a definition's `<structure>`: dense blocks and their connections.
 *
 * @throws RingstrasseError DOCUMENT_INVALID: missing or wrong IDs and sizes, connections that make no path;
 *   DOCUMENT_UNSUPPORTED: other layers, branches, shortcuts, more than 2^29 weights.
 */
export function readStructure(structure: XmlElement): StructureReading {
  checkElement(structure, { children: ["input", "output", "connections"], repeated: ["hidden"] });
  const input = readBlock(requireChild(structure, "input"));
  const output = readBlock(requireChild(structure, "output"));
  const unordered = childrenOf(structure, "hidden").map(readBlock);
  const hidden = orderBlocks({ input, hidden: unordered, output }, childOf(structure, "connections"));
  checkWeights(structure, [input, ...hidden, output]);
  const warnings: string[] = [];
  if (input.activation !== null && input.activation !== "linear") {
    warnings.push(
      `${input.block.path}: an input block only passes its rows on, ` +
        `so its activation ${input.activation} has no effect`,
    );
  }
  return { input, hidden, output, warnings };
}

/** Trainable numbers of a dense block: weights and biases. */
export function weightsOf(inputs: number, outputs: number): number {
  return (inputs + 1) * outputs;
}

function readBlock(element: XmlElement): BlockReading {
  checkElement(element, { children: ["ID", "dimension", "size", "parameters", "activation"] });
  const idElement = requireChild(element, "ID");
  const id = leafText(element, "ID");
  if (id === null) throw invalidAt(idElement.place, "ID is empty", "Give the block a name, e.g. Hidden1");
  if (otherLayers.test(foldName(id))) {
    throw unsupportedAt(idElement.place, `the ID ${quote(id)} asks for a layer that is not a dense one`, [
      "dense blocks under any other ID, e.g. Hidden1 or Denselayer1",
    ]);
  }
  const sizeElement = requireChild(element, "size");
  checkElement(sizeElement, textOnly);
  const size = readNumber(sizeElement, "size", { whole: true, min: 1, max: maxBlockSize });
  return {
    block: { id, size, path: element.place.elementPath },
    activation: readBlockActivation(element),
    dimension: readDimension(element, size),
    element,
  };
}

/** Rows are flat here: 1, or the size itself, which some documents write instead. */
function readDimension(block: XmlElement, size: number): number | null {
  const element = childOf(block, "dimension");
  if (element === undefined) return null;
  checkElement(element, textOnly);
  const dimension = readNumber(element, "dimension", { whole: true, min: 1, max: Number.MAX_SAFE_INTEGER });
  if (dimension === 1 || dimension === size) return dimension;
  throw unsupportedAt(element.place, `dimension is ${dimension}; blocks are rows of numbers, not grids`, [
    "1",
    `${size} (the block's size)`,
    "no <dimension>",
  ]);
}

function readBlockActivation(block: XmlElement): Activation | null {
  const found = byMeaning([...readNamedValues(childOf(block, "parameters")), ...activationChild(block)], (value) => {
    if (isActivation(value)) return "activation";
    throw unsupportedAt(value.element.place, `unknown parameter ${quote(value.name)} of a block`, [
      "activationfunction",
    ]);
  }).get("activation");
  return found === undefined ? null : readActivation(found.element);
}

function activationChild(block: XmlElement): NamedValue[] {
  const element = childOf(block, "activation");
  if (element === undefined) return [];
  checkElement(element, textOnly);
  return [{ name: "activation", key: "activation", element }];
}

function checkWeights(structure: XmlElement, blocks: readonly BlockReading[]): void {
  let weights = 0;
  let inputs: number | null = null;
  for (const { block } of blocks) {
    if (inputs !== null) weights += weightsOf(inputs, block.size);
    inputs = block.size;
  }
  if (weights <= maxWeights) return;
  throw unsupportedAt(structure.place, `the network has ${weights} weights`, [`at most ${maxWeights} weights in all`]);
}
