import type { Activation } from "../../shared/model-spec.js";
import type { BlockLayer, Normalisation } from "./network-definition.js";
import type { DimensionReading } from "./read-dimension.js";
import type { XmlElement } from "./xml-element.js";

/** A block as the document has it, before the blocks around it are known. */
export interface BlockReading {
  readonly id: string;
  /** Null when the document doesn't say; input, output and dense blocks have one. */
  readonly size: number | null;
  readonly dimension: DimensionReading | null;
  /** Null: the input, or a dense block. */
  readonly layer: BlockLayer | null;
  /** Of the block itself; null when the block doesn't say. */
  readonly activation: Activation | null;
  readonly l2: number | null;
  readonly normalisation: Normalisation | null;
  readonly warnings: readonly string[];
  readonly element: XmlElement;
}
