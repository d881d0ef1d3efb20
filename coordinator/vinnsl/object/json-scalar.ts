import { decimalText } from "../decimal-text.js";
import type { TextKind } from "./object-shape.js";

/**
 * A leaf's text as Jackson would tell a value of its type: a number or a flag where exactly that text comes back from
 * it ({@link textOfNumber}), else the text itself: `04`, `+1`, `tanh` among numbers stay what they are.
 */
export function scalarOf(text: string, kind: TextKind): string | number | boolean {
  if (kind === "flag" && (text === "true" || text === "false")) return text === "true";
  if (kind === "number" && isNumber(text) && decimalText(Number(text)) === text) return Number(text);
  return text;
}

/** The number that a text stands for, exactly or not; null where it is no number. Never `-0`, which JSON can't tell. */
export function numberOf(text: string): number | null {
  return isNumber(text) ? Number(text) + 0 : null;
}

/** Whether a text stands for this number, so that it may be told in its place. */
export function standsFor(text: string, value: number): boolean {
  return numberOf(text) === value + 0;
}

/** Text of a number of a JSON document: as written where that is a decimal, else the decimal of the same double. */
export function textOfNumber(raw: string): string | null {
  if (!/[eE]/.test(raw)) return Number.isFinite(Number(raw)) ? raw : null;
  const value = Number(raw);
  return Number.isFinite(value) ? decimalText(value) : null;
}

function isNumber(text: string): boolean {
  return /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(text) && Number.isFinite(Number(text));
}
