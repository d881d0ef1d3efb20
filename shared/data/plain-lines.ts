import type { CsvRecord } from "./csv-source.js";

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Splits CSV text in which there are no quotes, where a line is a record and a comma always separates: several times as fast as a
 * parser that must look at every byte, and the same records. Holds the unfinished line only.
 */
export class PlainLines {
  #rest: Buffer = Buffer.alloc(0);
  #lines = 0;

  /** 1-based line that the unfinished, or the next, record starts in. */
  get nextLine(): number {
    return this.#lines + 1;
  }

  /** The unfinished line. */
  get rest(): Buffer {
    return this.#rest;
  }

  /** Adds text without quotes, which may end anywhere, even within a character. @returns the records that are complete by now */
  take(bytes: Buffer): CsvRecord[] {
    const all = this.#rest.byteLength === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const end = endOfLines(all);
    // A copy: the piece that it was cut from need not be kept for it.
    this.#rest = Buffer.from(all.subarray(end));
    return this.#split(all.subarray(0, end));
  }

  /** @returns what stands in a last line without line end */
  finish(): CsvRecord[] {
    const last = this.#rest;
    this.#rest = Buffer.alloc(0);
    return this.#split(last);
  }

  #split(bytes: Buffer): CsvRecord[] {
    let text = bytes.toString("utf8");
    if (this.#lines === 0 && text.startsWith("\ufeff")) text = text.slice(1);
    if (text === "") return [];
    const lines = text.includes("\r") ? text.split(/\r\n|\r|\n/) : text.split("\n");
    // Behind a last line end there is no line.
    if (lines.at(-1) === "") lines.pop();
    const blanks = /[^\S\r\n]/.test(text);
    const records: CsvRecord[] = [];
    for (const content of lines) {
      this.#lines++;
      if (content === "" || (blanks && content.trim() === "")) continue;
      const fields = content.split(",");
      records.push({ line: this.#lines, fields: blanks ? fields.map((field) => field.trim()) : fields });
    }
    return records;
  }
}

/** Where the last complete line ends; a carriage return as the very last byte may be half a line end, and is left for later. */
function endOfLines(bytes: Buffer): number {
  const lineFeed = bytes.lastIndexOf(LINE_FEED);
  const carriageReturn = bytes.lastIndexOf(CARRIAGE_RETURN, -2);
  return Math.max(lineFeed, bytes.byteLength > 1 ? carriageReturn : -1) + 1;
}
