import { widthOf } from "../../shared/layer-shape.js";
import { invalidAt, quote, unsupportedAt } from "./document-error.js";
import { checkElement, childOf, textOnly } from "./element-rule.js";
import { readSizes } from "./read-extent.js";
import { readNumber } from "./read-number.js";
import type { XmlElement } from "./xml-element.js";

/** What a block's `<dimension>` says. */
export interface DimensionReading {
  /** As one number; null where several are written. */
  readonly value: number | null;
  /** `[height, width, channels]`; null: the rows are flat, or the document doesn't say. */
  readonly image: readonly [number, number, number] | null;
  readonly element: XmlElement;
}

/**
 * Reads a block's `<dimension>`: `28x28x1` and `28x28` are images of that height, width and number of channels; a number whose square is the
 * block's size is the side of a grey image, which the schemas allow, too; 1, or the size itself, says nothing.
 *
 * @param size of the block, where it is known: the product of an image's sizes.
 * @throws RingstrasseError DOCUMENT_INVALID: no sizes, or their product is another; DOCUMENT_UNSUPPORTED: another number
 */
export function readDimension(block: XmlElement, size: number | null): DimensionReading | null {
  const element = childOf(block, "dimension");
  if (element === undefined) return null;
  checkElement(element, textOnly);
  const sizes = readSizes(element.text);
  if (sizes === null || sizes.length === 1) return readSingle(element, size);
  const [height, width, channels = 1] = sizes;
  if (height === undefined || width === undefined || sizes.length > 3) {
    const problem = `dimension is ${quote(element.text)}, which is no image`;
    throw invalidAt(element.place, problem, "Give height, width and channels, e.g. 28x28x1");
  }
  const image = [height, width, channels] as const;
  if (size === null || size === widthOf(image)) return { value: null, image, element };
  const problem = `dimension ${image.join(" × ")} makes ${widthOf(image)} numbers, but the size is ${size}`;
  throw invalidAt(element.place, problem, "Make dimension and size agree");
}

function readSingle(element: XmlElement, size: number | null): DimensionReading {
  const value = readNumber(element, "dimension", { whole: true, min: 1, max: Number.MAX_SAFE_INTEGER });
  if (value === 1 || size === null || value === size) return { value, image: null, element };
  if (value * value === size) return { value, image: [value, value, 1], element };
  throw unsupportedAt(element.place, `dimension is ${value}, and the size ${size}`, [
    "1",
    `${size} (the block's size)`,
    "height, width and channels of an image, e.g. 28x28x1",
    "the side of a square grey image",
    "no <dimension>",
  ]);
}
