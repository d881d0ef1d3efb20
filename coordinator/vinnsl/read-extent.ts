import { invalidAt, quote } from "./document-error.js";
import { checkElement, textOnly } from "./element-rule.js";
import type { Extent } from "./network-definition.js";
import type { XmlElement } from "./xml-element.js";

const maxSide = 1_000_000;

/**
 * The whole numbers of a text like `3`, `3x3`, `28,28,1` or `28 × 28 × 1`; null when it is none.
 */
export function readSizes(text: string): number[] | null {
  const parts = text.trim().split(/\s*[x×*,;]\s*|\s+/i);
  const sizes = parts.map((part) => (/^\d{1,7}$/.test(part) ? Number(part) : 0));
  return sizes.every((size) => size >= 1 && size <= maxSide) ? sizes : null;
}

/**
 * Height and width: `3x3`, or `3` for both.
 *
 * @param what how messages call the value, e.g. `kernel`.
 * @throws RingstrasseError DOCUMENT_INVALID
 */
export function readExtent(element: XmlElement, what: string): Extent {
  checkElement(element, { ...textOnly, attributes: ["name"] });
  const [height, width = height, ...more] = readSizes(element.text) ?? [];
  if (height !== undefined && width !== undefined && more.length === 0) return [height, width];
  const problem = `${what} is ${quote(element.text)}, which is no height and width`;
  throw invalidAt(element.place, problem, "Give two whole numbers like 3x3, or one for both");
}
