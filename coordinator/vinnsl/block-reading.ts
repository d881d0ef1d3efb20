import type { Activation } from "../../shared/model-spec.js";
import type { NetworkBlock } from "./network-definition.js";
import type { XmlElement } from "./xml-element.js";

/** A block as the document has it. */
export interface BlockReading {
  readonly block: NetworkBlock;
  /** Of the block itself; null when the block doesn't say. */
  readonly activation: Activation | null;
  /** Null when the document doesn't say. */
  readonly dimension: number | null;
  readonly element: XmlElement;
}
