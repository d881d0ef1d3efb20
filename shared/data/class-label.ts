import { looksNumeric } from "./csv-number.js";

/**
 * The name that a label stands for: whole numbers however they are written (`2`, `02`, `2.0`, `+2`, `2.000e+00`) are one name, so that a
 * test file may write them differently; any other text stands for itself.
 */
export function className(label: string): string {
  if (!looksNumeric(label)) return label;
  const value = Number(label);
  // Adding 0 turns −0 into 0.
  return Number.isSafeInteger(value) ? String(value + 0) : label;
}

/** Class names in the order of their numbers: by value when all are whole numbers, else by UTF-16 code units. Pure. */
export function orderClassNames(names: readonly string[]): string[] {
  const numbers = names.map(Number);
  const whole = names.every(
    (name, index) => name !== "" && String(numbers[index]) === name && Number.isSafeInteger(numbers[index]),
  );
  if (whole) return [...names].sort((a, b) => Number(a) - Number(b));
  return [...names].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}
