import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { dataInvalid, readFailure } from "../../shared/data/data-failure.js";
import { type FeatureTransform, type RowFileSpec, rowSizeBytes } from "../../shared/data/dataset-spec.js";
import { type ApplyTransform, featureTransform } from "../../shared/data/feature-transform.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { RowBuffers } from "./row-buffers.js";

/** Reading so many bytes for nothing is cheaper than another system call. */
const MERGE_GAP_BYTES = 4096;
const MAX_READ_BYTES = 1024 * 1024;
/** Rows sorted at once; row number × this stays below 2^53. */
const SORTED_ROWS = 2 ** 20;
const REMEDY = "Start the command again: the data is then prepared anew; nothing else may write to the data directory";

/**
 * Reads chosen rows of a row file, transformed, synchronously; made for a thread of its own. Rows are fetched in the order of the
 * file, near ones with one system call; the working memory is 1 MiB, or one row. One call at a time.
 */
export class RowFileReader implements Disposable {
  readonly #file: RowFileSpec;
  readonly #rowSize: number;
  readonly #transform: ApplyTransform;
  readonly #scratch: Buffer;
  readonly #descriptor: number;
  #closed = false;

  /** @throws RingstrasseError INPUT_MISSING; DATA_INVALID when the file's size is not that of its description */
  constructor(file: RowFileSpec, transform: FeatureTransform) {
    this.#file = file;
    this.#rowSize = rowSizeBytes(file);
    this.#transform = featureTransform(transform, file.features);
    // Not of Node's pool: rows are viewed as float32, which needs alignment.
    this.#scratch = Buffer.alloc(Math.max(MAX_READ_BYTES, this.#rowSize));
    this.#descriptor = openRowFile(file, this.#rowSize);
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
    const order = new Float64Array(rows.length);
    for (let place = 0; place < rows.length; place++) {
      const row = rows[place] as number;
      if (row >= this.#file.rowCount) throw this.#noSuchRow(row);
      order[place] = row * SORTED_ROWS + place;
    }
    order.sort();
    const rowOf = (index: number) => Math.floor((order[index] as number) / SORTED_ROWS);
    let first = 0;
    while (first < order.length) {
      const start = rowOf(first) * this.#rowSize;
      let end = start + this.#rowSize;
      let next = first + 1;
      for (; next < order.length; next++) {
        const at = rowOf(next) * this.#rowSize;
        if (at - end > MERGE_GAP_BYTES || at + this.#rowSize - start > this.#scratch.byteLength) break;
        end = at + this.#rowSize;
      }
      this.#fetch(start, end - start);
      for (let index = first; index < next; index++) {
        const place = offset + ((order[index] as number) % SORTED_ROWS);
        this.#decode(rowOf(index) * this.#rowSize - start, place, into);
      }
      first = next;
    }
  }

  /** Reads bytes of the file into the beginning of the scratch memory. */
  #fetch(position: number, length: number): void {
    let done = 0;
    while (done < length) {
      let bytes: number;
      try {
        bytes = readSync(this.#descriptor, this.#scratch, done, length - done, position + done);
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
    const { buffer, byteOffset } = this.#scratch;
    const start = byteOffset + at;
    const raw =
      featureType === "uint8" ? new Uint8Array(buffer, start, features) : new Float32Array(buffer, start, features);
    this.#transform(raw, 1, into.x, place * features);
    const target = at + raw.byteLength;
    if (into.classes !== null) into.classes[place] = this.#scratch.readUInt32LE(target);
    for (let index = 0; into.values !== null && index < targets; index++) {
      into.values[place * targets + index] = this.#scratch.readFloatLE(target + index * 4);
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
