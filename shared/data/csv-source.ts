import { CsvError, type InfoRecord, Parser } from "csv-parse";
import type { RingstrasseError } from "../failure.js";
import { looksNumeric } from "./csv-number.js";
import { type DataPlace, dataInvalid } from "./data-failure.js";
import { readBytes } from "./input-bytes.js";
import { separatorRemedy } from "./other-separators.js";
import { PlainLines } from "./plain-lines.js";
import { isHeader, refuseUnnamedIndex } from "./table-header.js";
import { Utf8Check } from "./utf8-check.js";

/** Bound of what an unclosed quote may swallow before it is noticed. */
const MAX_RECORD_BYTES = 16 * 1024 * 1024;
const QUOTE = 0x22;
const QUOTE_REMEDY = 'Close every quote; a quote inside a quoted field is written twice ("")';

/** One row of a table. */
export interface CsvRecord {
  /** 1-based line of the file that the record starts in. */
  readonly line: number;
  /** Without the blanks around them and without their quotes. */
  readonly fields: readonly string[];
}

/**
 * Reads a CSV file, gzipped or not, in pieces of some hundred records; memory does not grow with the file. Fields are separated by
 * commas, may be quoted, and lines may end in any way; a byte-order mark and blank lines are skipped. The first record is left out if
 * it {@link isHeader}. All records have the same number of fields.
 * @param onHeader gets the names of the columns, before the first records; never called where there is no header
 * @throws RingstrasseError INPUT_MISSING; DATA_INVALID with row and column: empty file, only a header, a header that doesn't name the first
 *   column, ragged row, quotes that don't match, invalid UTF-8. What comes before the fault is yielded first, so faults surface in the
 *   order of the file.
 */
export async function* readCsv(
  path: string,
  signal?: AbortSignal,
  onHeader?: (names: readonly string[]) => void,
): AsyncGenerator<CsvRecord[], void, undefined> {
  let first: CsvRecord | null = null;
  let headerDecided = false;
  for await (const batch of readRecords(path, signal)) {
    let records = batch;
    if (!headerDecided) {
      if (first !== null) records = [first, ...batch];
      const [head, second] = records;
      if (head === undefined) continue;
      first = head;
      if (second === undefined) continue;
      headerDecided = true;
      if (isHeader(head, second)) {
        refuseUnnamedIndex(head, path);
        onHeader?.(head.fields);
        records = records.slice(1);
      }
    }
    yield* uniform(records, first?.fields ?? [], path);
  }
  if (headerDecided) return;
  if (first === null) {
    throw dataInvalid({ file: path }, "the file is empty", "Give a file with one row per line");
  }
  if (first.fields.some(looksNumeric)) yield [first];
  else {
    const place = { file: path, row: first.line };
    throw dataInvalid(place, "the file has a header, but no rows of numbers", "Give a file with one row per line");
  }
}

/** Yields the records up to the first that has another number of fields than the first of the file, then throws. */
function* uniform(records: CsvRecord[], first: readonly string[], file: string): Generator<CsvRecord[]> {
  const columns = first.length;
  const ragged = records.findIndex((record) => record.fields.length !== columns);
  if (ragged === -1) {
    if (records.length > 0) yield records;
    return;
  }
  if (ragged > 0) yield records.slice(0, ragged);
  const { line, fields } = records[ragged] as CsvRecord;
  throw dataInvalid(
    { file, row: line, column: Math.min(columns, fields.length) },
    `the row has ${fields.length} fields, expected ${columns} as in the first row`,
    separatorRemedy(fields) ??
      separatorRemedy(first) ??
      "Give every row the same number of fields; a comma inside a field needs quotes round the field",
  );
}

async function* readRecords(path: string, signal: AbortSignal | undefined): AsyncGenerator<CsvRecord[]> {
  const plain = new PlainLines();
  // Only a file with quotes needs the parser, and only from the first quote on.
  let parser: RecordParser | null = null;
  const utf8 = new Utf8Check();
  const invalidText = () =>
    dataInvalid(
      { file: path, row: (parser ?? plain).nextLine },
      "the text is not valid UTF-8",
      "Save the file in the encoding UTF-8 (it may be Latin-1 or UTF-16 now)",
    );
  for await (const piece of readBytes(path, { signal })) {
    const valid = utf8.validLength(piece);
    let bytes = valid === piece.byteLength ? piece : piece.subarray(0, valid);
    if (parser === null && bytes.includes(QUOTE)) {
      parser = new RecordParser(plain.nextLine - 1);
      bytes = Buffer.concat([plain.rest, bytes]);
    }
    if (parser !== null) yield* parser.write(bytes, path);
    else {
      yield plain.take(bytes);
      if (plain.rest.byteLength > MAX_RECORD_BYTES) throw rowTooLong({ file: path, row: plain.nextLine });
    }
    if (valid < piece.byteLength) throw invalidText();
  }
  if (utf8.incomplete) throw invalidText();
  if (parser === null) yield plain.finish();
  else yield* parser.end(path);
}

function rowTooLong(place: DataPlace, cause?: unknown): RingstrasseError {
  const problem = "the row is longer than 16 MiB; perhaps a quote is opened and never closed";
  return dataInvalid(place, problem, QUOTE_REMEDY, cause);
}

/** csv-parse as a synchronous machine: bytes in, records with their lines out, without a stream event per record. */
class RecordParser {
  #records: CsvRecord[] = [];
  /** Lines that come before what the parser is given. */
  readonly #linesBefore: number;
  #lastLine = 0;
  #emptyLines = 0;
  /** csv-parse counts a CRLF inside quotes as two lines. */
  #miscounted = 0;
  readonly #parser = new Parser({
    bom: true,
    trim: true,
    skip_empty_lines: true,
    relax_column_count: true,
    record_delimiter: ["\r\n", "\n", "\r"],
    max_record_size: MAX_RECORD_BYTES,
    // Nothing is passed on to the readable side of the parser's stream.
    on_record: (fields: string[], context) => this.#onRecord(fields, context),
  });
  #failure: Error | null = null;

  constructor(linesBefore: number) {
    this.#linesBefore = linesBefore;
    this.#parser.on("error", (error) => {
      this.#failure = error;
    });
  }

  /** Line that the record under way, or the next one, starts in. */
  get nextLine(): number {
    const blank = this.#parser.info.empty_lines - this.#emptyLines;
    return this.#linesBefore + this.#lastLine + 1 + blank;
  }

  async *write(bytes: Buffer, file: string): AsyncGenerator<CsvRecord[]> {
    await new Promise<void>((resolve) => this.#parser.write(bytes, () => resolve()));
    yield* this.#take(file);
  }

  async *end(file: string): AsyncGenerator<CsvRecord[]> {
    await new Promise<void>((resolve) => this.#parser.end(() => resolve()));
    yield* this.#take(file);
  }

  *#take(file: string): Generator<CsvRecord[]> {
    const records = this.#records;
    this.#records = [];
    if (records.length > 0) yield records;
    if (this.#failure !== null) throw this.#explain(this.#failure, file);
  }

  #onRecord(fields: string[], context: InfoRecord): null {
    const { lines, empty_lines: emptyLines } = context;
    let start = this.#lastLine + 1 + (emptyLines - this.#emptyLines);
    let end = lines - this.#miscounted;
    if (end > start) {
      const breaks = fields.join("|").match(/\r\n|\r|\n/g) ?? [];
      this.#miscounted += breaks.filter((text) => text === "\r\n").length;
      end = lines - this.#miscounted;
      start = end - breaks.length;
    }
    this.#records.push({ line: this.#linesBefore + start, fields });
    this.#lastLine = end;
    this.#emptyLines = emptyLines;
    return null;
  }

  #explain(error: Error, file: string): Error {
    if (!(error instanceof CsvError)) return error;
    const column = typeof error["column"] === "number" ? error["column"] : undefined;
    const place = { file, row: this.nextLine, ...(column === undefined ? {} : { column }) };
    switch (error.code) {
      case "CSV_QUOTE_NOT_CLOSED":
        return dataInvalid(place, "a quote is opened and never closed", QUOTE_REMEDY, error);
      case "CSV_MAX_RECORD_SIZE":
        return rowTooLong(place, error);
      case "CSV_INVALID_CLOSING_QUOTE":
      case "CSV_NON_TRIMABLE_CHAR_AFTER_CLOSING_QUOTE":
        return dataInvalid(place, "text follows a closing quote", QUOTE_REMEDY, error);
      case "INVALID_OPENING_QUOTE":
        return dataInvalid(place, "a quote stands in the middle of an unquoted field", QUOTE_REMEDY, error);
      default:
        return dataInvalid(place, `it is not well-formed CSV (${error.message})`, "Correct the row", error);
    }
  }
}
