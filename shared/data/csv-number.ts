import type { CsvRecord } from "./csv-source.js";
import { dataInvalid } from "./data-failure.js";
import { separatorRemedy } from "./other-separators.js";

/** Whether a field is written as a number: decimal or exponent, a sign, `nan` and `inf` too; not hexadecimal, not empty. */
export function looksNumeric(field: string): boolean {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(field) || NOT_FINITE.test(field);
}

const NOT_FINITE = /^[+-]?(nan|inf|infinity)$/i;

/**
 * The number in column `column` of a record, rounded to float32.
 * @throws RingstrasseError DATA_INVALID naming row and column: empty, no number, not finite, or too large for float32
 */
export function float32Field(record: CsvRecord, column: number, file: string): number {
  const field = record.fields[column] ?? "";
  const value = Math.fround(Number(field));
  // Number() alone would take empty fields for 0 and read 0x10, 0b1 and 0o7.
  if (Number.isFinite(value) && field !== "" && (value !== 0 || looksNumeric(field)) && !hasRadix(field)) return value;
  throw notANumber(field, { file, row: record.line, column });
}

function hasRadix(field: string): boolean {
  // The second character is a digit or a point in nearly all numbers that begin with 0, which spares the expression.
  return field.charCodeAt(0) === 48 && field.charCodeAt(1) > 57 && /^0[xob]/i.test(field);
}

function notANumber(field: string, place: { file: string; row: number; column: number }): Error {
  if (field === "")
    return dataInvalid(place, "the field is empty, where a number belongs", "Fill it in, or leave the row out");
  if (NOT_FINITE.test(field)) {
    return dataInvalid(
      place,
      `the value is ${field}, which can't be computed with`,
      "Put a number there, or leave the row out",
    );
  }
  if (looksNumeric(field)) {
    return dataInvalid(
      place,
      `${quoted(field)} is too large for a 32-bit floating-point number`,
      "Scale the column to within ±3.4e38",
    );
  }
  return dataInvalid(
    place,
    `the text ${quoted(field)} stands where a number belongs`,
    separatorRemedy([field]) ??
      "Only the label column of a classification may hold text: correct the field, or point labelIndex to the label column",
  );
}

/** For messages: short, and with control characters made visible. */
export function quoted(field: string): string {
  return JSON.stringify(field.length > 40 ? `${field.slice(0, 40)}…` : field);
}
