import { closeSync, fstatSync, openSync } from "node:fs";
import { dataInvalid, readFailure } from "../../shared/data/data-failure.js";
import { type RowFileSpec, rowSizeBytes } from "../../shared/data/dataset-spec.js";
import { RingstrasseError } from "../../shared/failure.js";

const PREPARED_ANEW =
  "Start the command again: the data is then prepared anew; nothing else may write to the data directory";

/**
 * Opens a row file for reading. @returns its descriptor, the caller's to close
 * @throws RingstrasseError INPUT_MISSING; DATA_INVALID when its size is not that of its description
 */
export function openRowFile(file: RowFileSpec): number {
  let descriptor: number;
  try {
    descriptor = openSync(file.path, "r");
  } catch (cause) {
    const failure = readFailure(file.path, cause);
    if (!(failure instanceof RingstrasseError) || failure.failure.code !== "INPUT_MISSING") throw failure;
    const remedy = "Workers read prepared data from the coordinator's data directory: it must be there on every host";
    throw new RingstrasseError({ ...failure.failure, remedy }, { cause });
  }
  const { size } = fstatSync(descriptor);
  const rowSize = rowSizeBytes(file);
  const expected = file.rowCount * rowSize;
  if (size === expected) return descriptor;
  closeSync(descriptor);
  const problem = `the file has ${size} bytes, expected ${expected} (${file.rowCount} rows of ${rowSize} bytes)`;
  throw dataInvalid({ file: file.path }, problem, PREPARED_ANEW);
}

/** The file ended where there was more before. */
export function becameShorter(file: RowFileSpec, position: number): Error {
  const problem = `the file ends at byte ${position}: it has become shorter since the job began`;
  return dataInvalid({ file: file.path }, problem, PREPARED_ANEW);
}

export function noSuchRow({ path, rowCount }: RowFileSpec, row: number): Error {
  const problem = `row number ${row} (from 0) was asked for, the file has ${rowCount}`;
  return dataInvalid({ file: path, row: row + 1 }, problem, "Please report this: it is a defect of the program");
}
