import { closeSync, readSync } from "node:fs";
import { readFailure } from "../../shared/data/data-failure.js";
import { type RowFileSpec, rowSizeBytes } from "../../shared/data/dataset-spec.js";
import type { ApplyTransform } from "../../shared/data/feature-transform.js";
import { becameShorter, noSuchRow, openRowFile } from "./open-row-file.js";
import type { RowBuffers } from "./row-buffers.js";

/** Reading so many bytes for nothing is cheaper than another system call. */
const MERGE_GAP_BYTES = 4096;
const MAX_READ_BYTES = 1024 * 1024;
/** Rows sorted at once; row number × this stays below 2^53. */
const SORTED_ROWS = 2 ** 20;

/** Rows that lie near each other, `[first, next)` of a sorted list, and their bytes in the file. */
interface Run {
  readonly first: number;
  readonly next: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Reads chosen rows of a row file, transformed, synchronously; made for a thread of its own. Rows are fetched in the order of the
 * file, near ones with one system call. The working memory is 1 MiB, or one row. One call at a time.
 */
export class RowFileReader implements Disposable {
  readonly #file: RowFileSpec;
  readonly #rowSize: number;
  readonly #transform: ApplyTransform;
  /** What is being read of the file. */
  readonly #memory: Buffer;
  readonly #descriptor: number;
  #closed = false;

  /** @param transform for rows of this file @throws RingstrasseError as {@link openRowFile} */
  constructor(file: RowFileSpec, transform: ApplyTransform) {
    this.#file = file;
    this.#rowSize = rowSizeBytes(file);
    this.#transform = transform;
    this.#descriptor = openRowFile(file);
    // Not of Node's pool: rows are viewed as float32, which needs alignment.
    this.#memory = Buffer.alloc(Math.max(MAX_READ_BYTES, this.#rowSize));
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
    for (const row of rows) if (row >= this.#file.rowCount) throw noSuchRow(this.#file, row);
    for (let from = 0; from < rows.length; from += SORTED_ROWS) {
      this.#readSorted(rows.subarray(from, from + SORTED_ROWS), from, into);
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
      this.#fetch(start, end - start);
      for (let index = first; index < next; index++) {
        const place = offset + ((order[index] as number) % SORTED_ROWS);
        this.#decode((sorted[index] as number) * this.#rowSize - start, place, into);
      }
    }
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

  /** Reads `length` bytes of the file at `position` into the memory. */
  #fetch(position: number, length: number): void {
    let done = 0;
    while (done < length) {
      let bytes: number;
      try {
        bytes = readSync(this.#descriptor, this.#memory, done, length - done, position + done);
      } catch (cause) {
        throw readFailure(this.#file.path, cause);
      }
      if (bytes === 0) throw becameShorter(this.#file, position + done);
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
}
