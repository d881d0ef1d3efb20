import type { Activation } from "../../shared/model-spec.js";
import type { BlockReading } from "./block-reading.js";
import { checkElement, childOf, childrenOf, requireChild } from "./element-rule.js";
import { orderBlocks } from "./order-blocks.js";
import { readBlock } from "./read-block.js";
import { type SettledBlocks, settleBlocks } from "./settle-blocks.js";
import type { XmlElement } from "./xml-element.js";

/** What `<structure>` says. */
export interface StructureReading extends SettledBlocks {
  /** Of the output itself; null when it doesn't say. */
  readonly outputActivation: Activation | null;
  /** The blocks as they are written, for comparison with a description. */
  readonly written: WrittenBlocks;
}

export interface WrittenBlocks {
  readonly input: BlockReading;
  /** In the order of the connections, input to output. */
  readonly hidden: readonly BlockReading[];
  readonly output: BlockReading;
  /** The first element that names a shortcut; null: there is none. */
  readonly shortcut: XmlElement | null;
}

/**
 * Reads a definition's `<structure>`: blocks, their layers and connections, and whether they fit each other.
 *
 * @throws RingstrasseError DOCUMENT_INVALID: missing or wrong IDs, sizes and parameters, connections that make no path, shapes that don't fit;
 *   DOCUMENT_UNSUPPORTED: other layers, branches, shortcuts of single neurons, more than 2^29 weights.
 */
export function readStructure(structure: XmlElement): StructureReading {
  checkElement(structure, { children: ["input", "output", "connections"], repeated: ["hidden"] });
  const input = readBlock(requireChild(structure, "input"));
  const output = readBlock(requireChild(structure, "output"));
  const unordered = childrenOf(structure, "hidden").map(readBlock);
  const ordered = orderBlocks({ input, hidden: unordered, output }, childOf(structure, "connections"));
  const settled = settleBlocks({ structure, input, output, ...ordered });
  const warnings = [...settled.warnings, ...[input, ...ordered.hidden, output].flatMap((block) => block.warnings)];
  if (input.activation !== null && input.activation !== "linear") {
    warnings.push(
      `${input.element.place.elementPath}: an input block only passes its rows on, ` +
        `so its activation ${input.activation} has no effect`,
    );
  }
  const written = { input, hidden: ordered.hidden, output, shortcut: ordered.shortcuts[0]?.element ?? null };
  return { ...settled, outputActivation: output.activation, written, warnings };
}
