import { basename } from "node:path";
import { looksNumeric, quoted } from "./csv-number.js";
import type { CsvRecord } from "./csv-source.js";
import { dataInvalid } from "./data-failure.js";

/** So many numbers that count their columns are names: fewer could be categories that happen to stand in this order. */
const SURELY_COUNTED = 5;

/**
 * Whether the first record of a table names its columns: none of its fields is a number and the second record has one, or its numbers count
 * the columns from 0, as pandas names columns that have no names (`0,1,2`, `0,1,2,label`). Pure.
 */
export function isHeader({ fields }: CsvRecord, second: CsvRecord): boolean {
  if (!fields.some(looksNumeric)) return second.fields.some(looksNumeric);
  // An index that pandas writes has no name, and is not counted.
  const unnamed = fields[0] === "" ? 1 : 0;
  return countsColumns(fields.slice(unnamed), second.fields.slice(unnamed));
}

/** For a header of numbers and the record below it. In doubt it is a row, as `0,1` above `1,3` well may be. */
function countsColumns(first: readonly string[], below: readonly string[]): boolean {
  const numbers = first.flatMap((field, column) => (looksNumeric(field) ? [column] : []));
  if (first.length < 3 || numbers.length < 2 || numbers[0] !== 0) return false;
  const counts = (column: number) => first[column] === String(column) && looksNumeric(below[column] ?? "");
  if (!numbers.every(counts)) return false;
  if (first.some((field, column) => isText(field) && looksNumeric(below[column] ?? ""))) return true;
  const values = numbers.map((column) => Number(below[column]));
  // 0,1,2 above 1,2,3 or 3,4,5: rows that count on.
  const moves = new Set(values.map((value, index) => value - (numbers[index] ?? 0)));
  if (numbers.length === first.length && moves.size === 1) return false;
  if (numbers.length >= SURELY_COUNTED) return true;
  return values.some((value) => !Number.isInteger(value) || value < 0 || value >= numbers.length);
}

/** For the user, where numbers were taken for names; null: the header has no numbers. Pure. @param names of the columns */
export function headerWarning(names: readonly string[], file: string): string | null {
  if (!names.some(looksNumeric)) return null;
  const few = names.slice(0, 4).join(",") + (names.length > 4 ? ",…" : "");
  return `The first line of ${basename(file)} (${few}) was taken for a header, since it counts the columns from 0; if it is a row, write its first number as ${names.find(looksNumeric)}.0`;
}

/** @throws RingstrasseError DATA_INVALID for a header whose first name is empty: an index would be taken for a feature */
export function refuseUnnamedIndex({ fields, line }: CsvRecord, file: string): void {
  if (fields[0] !== "") return;
  throw dataInvalid(
    { file, row: line, column: 0 },
    "the header has no name for the first column, as where pandas or R write the numbers of rows before the others",
    "Write the file without them (pandas: index=False, R: row.names=FALSE), or give the column a name if it belongs to the data",
  );
}

/**
 * Refuses a first row that has text where the network reads a number and the second row has one: that is a header, as a rule.
 * @param records of which the first two are looked at
 * @param label column that may hold text; null: none may
 * @throws RingstrasseError DATA_INVALID naming row and column
 */
export function refuseNamesInFirstRow(records: readonly CsvRecord[], label: number | null, file: string): void {
  const [first, second] = records;
  if (first === undefined || second === undefined) return;
  const column = first.fields.findIndex((field, at) => at !== label && !looksNumeric(field));
  const field = first.fields[column] ?? "";
  if (!isText(field) || !looksNumeric(second.fields[column] ?? "")) return;
  throw dataInvalid(
    { file, row: first.line, column },
    `the text ${quoted(field)} stands where a number belongs`,
    "If the line is a header with numbers for names, remove it; else correct the field, or point labelIndex to the label column",
  );
}

function isText(field: string): boolean {
  return field !== "" && !looksNumeric(field);
}
