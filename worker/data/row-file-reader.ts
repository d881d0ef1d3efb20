import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { dataInvalid, readFailure } from "../../shared/data/data-failure.js";
import { type RowFileSpec, rowSizeBytes } from "../../shared/data/dataset-spec.js";
import type { ApplyTransform } from "../../shared/data/feature-transform.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { RowBuffers } from "./row-buffers.js";

/** Reading so many bytes for nothing is cheaper than another system call. */
const MERGE_GAP_BYTES = 4096;
const MAX_READ_BYTES = 1024 * 1024;
/** Rows of a file up to this size are read once: in random order nearly every row costs a system call, several times what its use costs. */
const KEPT_FILE_BYTES = 64 * 1024 * 1024;
/** Rows sorted at once; row number × this stays below 2^53. */
const SORTED_ROWS = 2 ** 20;
const REMEDY = "Start the command again: the data is then prepared anew; nothing else may write to the data directory";

/** Rows that lie near each other, `[first, next)` of a sorted list, and their bytes in the file. */
interface Run {
  readonly first: number;
  readonly next: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Reads chosen rows of a row file, transformed, synchronously; made for a thread of its own. Rows are fetched in the order of the
 * file, near ones with one system call. Of a file of up to 64 MiB, rows stay in memory once they have been read; else the working memory
 * is 1 MiB, or one row. One call at a time.
 */
export class RowFileReader implements Disposable {
  readonly #file: RowFileSpec;
  readonly #rowSize: number;
  readonly #transform: ApplyTransform;
  /** The whole file, as far as it has been read, or what is being read of it. */
  readonly #memory: Buffer;
  /** By row, whether it is in the memory; null: nothing stays there. */
  readonly #isKept: Uint8Array | null;
  readonly #descriptor: number;
  #closed = false;

  /**
   * @param transform for rows of this file
   * @param keptFileBytes the rows of a file of at most this size stay in memory
   * @throws RingstrasseError INPUT_MISSING; DATA_INVALID when the file's size is not that of its description
   */
  constructor(file: RowFileSpec, transform: ApplyTransform, keptFileBytes = KEPT_FILE_BYTES) {
    this.#file = file;
    this.#rowSize = rowSizeBytes(file);
    this.#transform = transform;
    this.#descriptor = openRowFile(file, this.#rowSize);
    const fileBytes = file.rowCount * this.#rowSize;
    const isSmall = fileBytes <= keptFileBytes;
    this.#isKept = isSmall ? new Uint8Array(file.rowCount) : null;
    // Not of Node's pool: rows are viewed as float32, which needs alignment.
    this.#memory = Buffer.alloc(isSmall ? fileBytes : Math.max(MAX_READ_BYTES, this.#rowSize));
  }

  /**
   * Reads rows in the order given; the same row may be asked for more than once.
   * @param into room for at least as many rows
   * @throws RingstrasseError DATA_INVALID: no such row, or the file has become shorter; INPUT_MISSING: it can't be read any more
   * @throws RangeError when there is not enough room
   */
  readRows(rows: Uint32Array, into: RowBuffers): void {
    if (rows.length * this.#file.features > into.x.length) {
      throw new RangeError(`${rows.length} rows don't fit into room for ${into.x.length / this.#file.features}`);
    }
    for (const row of rows) if (row >= this.#file.rowCount) throw this.#noSuchRow(row);
    for (let from = 0; from < rows.length; from += SORTED_ROWS) {
      const some = rows.subarray(from, from + SORTED_ROWS);
      if (this.#isKept === null) this.#readSorted(some, from, into);
      else this.#readKept(some, this.#isKept, { offset: from, into });
    }
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#descriptor);
  }

  #readSorted(rows: Uint32Array, offset: number, into: RowBuffers): void {
    // One number holds row and place, so that a sort of plain numbers suffices.
    const order = Float64Array.from(rows, (row, place) => row * SORTED_ROWS + place).sort();
    const sorted = Uint32Array.from(order, (both) => Math.floor(both / SORTED_ROWS));
    for (const { first, next, start, end } of this.#runsOf(sorted)) {
      this.#fetch(start, end - start, 0);
      for (let index = first; index < next; index++) {
        const place = offset + ((order[index] as number) % SORTED_ROWS);
        this.#decode((sorted[index] as number) * this.#rowSize - start, place, into);
      }
    }
  }

  #readKept(rows: Uint32Array, isKept: Uint8Array, { offset, into }: { offset: number; into: RowBuffers }): void {
    const missing = rows.filter((row) => isKept[row] === 0).sort();
    for (const { first, next, start, end } of this.#runsOf(missing)) {
      this.#fetch(start, end - start, start);
      for (const row of missing.subarray(first, next)) isKept[row] = 1;
    }
    for (const [index, row] of rows.entries()) this.#decode(row * this.#rowSize, offset + index, into);
  }

  /** @param sorted numbers of rows, ascending */
  *#runsOf(sorted: Uint32Array): Generator<Run> {
    const longest = Math.max(MAX_READ_BYTES, this.#rowSize);
    for (let first = 0, next = 0; first < sorted.length; first = next) {
      const start = (sorted[first] as number) * this.#rowSize;
      let end = start + this.#rowSize;
      for (next = first + 1; next < sorted.length; next++) {
        const at = (sorted[next] as number) * this.#rowSize;
        if (at - end > MERGE_GAP_BYTES || at + this.#rowSize - start > longest) break;
        end = at + this.#rowSize;
      }
      yield { first, next, start, end };
    }
  }

  /** Reads `length` bytes of the file at `position` into the memory at `at`. */
  #fetch(position: number, length: number, at: number): void {
    let done = 0;
    while (done < length) {
      let bytes: number;
      try {
        bytes = readSync(this.#descriptor, this.#memory, at + done, length - done, position + done);
      } catch (cause) {
        throw readFailure(this.#file.path, cause);
      }
      if (bytes === 0) {
        const problem = `the file ends at byte ${position + done}: it has become shorter since the job began`;
        throw dataInvalid({ file: this.#file.path }, problem, REMEDY);
      }
      done += bytes;
    }
  }

  #decode(at: number, place: number, into: RowBuffers): void {
    const { features, featureType, targets } = this.#file;
    const { buffer, byteOffset } = this.#memory;
    const start = byteOffset + at;
    const raw =
      featureType === "uint8" ? new Uint8Array(buffer, start, features) : new Float32Array(buffer, start, features);
    this.#transform(raw, 1, into.x, place * features);
    const target = at + raw.byteLength;
    if (into.classes !== null) into.classes[place] = this.#memory.readUInt32LE(target);
    for (let index = 0; into.values !== null && index < targets; index++) {
      into.values[place * targets + index] = this.#memory.readFloatLE(target + index * 4);
    }
  }

  #noSuchRow(row: number): Error {
    const { path, rowCount } = this.#file;
    const problem = `row number ${row} (from 0) was asked for, the file has ${rowCount}`;
    return dataInvalid({ file: path, row: row + 1 }, problem, "Please report this: it is a defect of the program");
  }
}

function openRowFile(file: RowFileSpec, rowSize: number): number {
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
  const expected = file.rowCount * rowSize;
  if (size === expected) return descriptor;
  closeSync(descriptor);
  const problem = `the file has ${size} bytes, expected ${expected} (${file.rowCount} rows of ${rowSize} bytes)`;
  throw dataInvalid({ file: file.path }, problem, REMEDY);
}
