import { invalidAt, quote } from "./document-error.js";
import type { XmlElement } from "./xml-element.js";

/** Which numbers are allowed. Bounds are inclusive where not named otherwise. */
export interface NumberRange {
  readonly whole: boolean;
  readonly min?: number;
  readonly moreThan?: number;
  readonly max?: number;
  readonly lessThan?: number;
}

const decimal = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;

/**
 * The element's text as a number: decimal, with or without exponent; hexadecimal, NaN and infinities are no numbers
 * here. Whole numbers may be written with a zero fraction, as XML Schema's decimals are.
 *
 * @param what how messages call the value, e.g. `size`.
 * @throws RingstrasseError DOCUMENT_INVALID
 */
export function readNumber(element: XmlElement, what: string, range: NumberRange): number {
  const { text, place } = element;
  const remedy = `Give ${describeRange(range)}`;
  if (text === "") throw invalidAt(place, `${what} is empty`, remedy);
  const value = decimal.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) throw invalidAt(place, `${what} is ${quote(text)}, which is not a number`, remedy);
  if (range.whole && !Number.isSafeInteger(value)) {
    throw invalidAt(place, `${what} is ${quote(text)}, which is not a whole number in range`, remedy);
  }
  if (!isInRange(value, range)) throw invalidAt(place, `${what} is ${quote(text)}, which is out of range`, remedy);
  // A number too small for a double would silently become 0.
  if (value === 0 && /[1-9]/.test(text.replace(/[eE].*$/, ""))) {
    throw invalidAt(place, `${what} is ${quote(text)}, which is too small for a number of 64 bits`, remedy);
  }
  return value === 0 ? 0 : value;
}

function isInRange(value: number, { min, moreThan, max, lessThan }: NumberRange): boolean {
  if (min !== undefined && value < min) return false;
  if (moreThan !== undefined && value <= moreThan) return false;
  if (max !== undefined && value > max) return false;
  return lessThan === undefined || value < lessThan;
}

/** e.g. `a whole number from 1 to 1000000`. */
export function describeRange({ whole, min, moreThan, max, lessThan }: NumberRange): string {
  const kind = whole ? "a whole number" : "a number";
  if (min !== undefined && max !== undefined) return `${kind} from ${min} to ${max}`;
  const bounds: string[] = [];
  if (min !== undefined) bounds.push(`of at least ${min}`);
  if (moreThan !== undefined) bounds.push(`greater than ${moreThan}`);
  if (max !== undefined) bounds.push(`of at most ${max}`);
  if (lessThan !== undefined) bounds.push(`less than ${lessThan}`);
  return bounds.length === 0 ? kind : `${kind} ${bounds.join(" and ")}`;
}
