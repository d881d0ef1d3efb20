import { closeSync, read } from "node:fs";
import { promisify } from "node:util";
import { readFailure } from "../../shared/data/data-failure.js";
import { type FeatureTransform, type RowFileSpec, rowSizeBytes } from "../../shared/data/dataset-spec.js";
import { featureTransform } from "../../shared/data/feature-transform.js";
import type { MicroBatch } from "../engine/engine.js";
import { compileKernels, instantiateKernels } from "../kernels/load-kernels.js";
import { BYTE_VALUES, quotientsOfBytes } from "./byte-quotients.js";
import { becameShorter, noSuchRow, openRowFile } from "./open-row-file.js";
import { microBatchOf, type RowBuffers, rowBuffers, rowBuffersSizeBytes } from "./row-buffers.js";

const PAGE_BYTES = 65536;
const ALIGNMENT_BYTES = 64;
/** The kernel reads and writes whole fours. */
const KERNEL_OVERHANG_BYTES = 16;
/** What is read between two turns of the event loop. */
const MOST_READ_BYTES = 4 * 1024 * 1024;
const readAt = promisify(read);

/** Transforms the features of one row, at an address, to a place of the batch. */
type WriteFeatures = (address: number, place: number) => void;

interface Places {
  readonly memory: WebAssembly.Memory;
  readonly table: number;
  readonly rows: number;
}

/**
 * A row file that lies in memory as it is, and one batch of its rows, transformed. Transforming a batch takes less time than handing it
 * over from a thread of its own (ADR 35). Memory: the file and one batch.
 */
export class LoadedRows {
  readonly #file: RowFileSpec;
  readonly #rowSize: number;
  readonly #rowsAddress: number;
  readonly #bytes: DataView;
  readonly #batch: RowBuffers;
  readonly #writeFeatures: WriteFeatures;

  private constructor(file: RowFileSpec, { memory, rows }: Places, batch: RowBuffers, writeFeatures: WriteFeatures) {
    this.#file = file;
    this.#rowSize = rowSizeBytes(file);
    this.#rowsAddress = rows;
    this.#bytes = new DataView(memory.buffer);
    this.#batch = batch;
    this.#writeFeatures = writeFeatures;
  }

  /**
   * Reads the whole file; the event loop goes on meanwhile.
   * @param maxRows most rows of a batch
   * @throws RingstrasseError INPUT_MISSING, DATA_INVALID: not the file that `file` describes; ENGINE_UNAVAILABLE when there are no kernels
   */
  static async load(file: RowFileSpec, transform: FeatureTransform, maxRows: number): Promise<LoadedRows> {
    const fileBytes = file.rowCount * rowSizeBytes(file);
    const table = aligned(rowBuffersSizeBytes(file, maxRows) + KERNEL_OVERHANG_BYTES);
    const rows = aligned(table + BYTE_VALUES * Float32Array.BYTES_PER_ELEMENT);
    const pages = Math.ceil((rows + fileBytes + KERNEL_OVERHANG_BYTES) / PAGE_BYTES);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    await readWhole(file, new Uint8Array(memory.buffer, rows, fileBytes));
    const places = { memory, table, rows };
    const batch = rowBuffers(memory.buffer, file, maxRows);
    return new LoadedRows(file, places, batch, await featureWriter(file, transform, places));
  }

  /**
   * The rows with these numbers, in this order; valid until the next call.
   * @throws RingstrasseError DATA_INVALID: no such row @throws RangeError for no rows, or more than a batch may have
   */
  batch(rows: Uint32Array): MicroBatch {
    const { classes, values } = this.#batch;
    const { targets } = this.#file;
    const most = this.#batch.x.length / this.#file.features;
    if (rows.length > most) throw new RangeError(`${rows.length} rows don't fit into room for ${most}`);
    for (const row of rows) if (row >= this.#file.rowCount) throw noSuchRow(this.#file, row);
    const batch = microBatchOf(this.#batch, this.#file, rows.length);
    const rowsAddress = this.#rowsAddress;
    const rowSize = this.#rowSize;
    for (let place = 0; place < rows.length; place++) {
      this.#writeFeatures(rowsAddress + (rows[place] as number) * rowSize, place);
    }
    // Last: the kernel may have written beyond the last row.
    for (let place = 0; place < rows.length; place++) {
      const first = rowsAddress + ((rows[place] as number) + 1) * rowSize - targets * 4;
      if (classes !== null) classes[place] = this.#bytes.getUint32(first, true);
      for (let index = 0; values !== null && index < targets; index++) {
        values[place * targets + index] = this.#bytes.getFloat32(first + index * 4, true);
      }
    }
    return batch;
  }
}

async function featureWriter(
  { features, featureType }: RowFileSpec,
  transform: FeatureTransform,
  { memory, table }: Places,
): Promise<WriteFeatures> {
  const { buffer } = memory;
  if (featureType === "uint8" && transform.kind === "scale") {
    const kernels = instantiateKernels(await compileKernels(), memory);
    new Float32Array(buffer, table, BYTE_VALUES).set(quotientsOfBytes(transform));
    const rowBytes = features * Float32Array.BYTES_PER_ELEMENT;
    // The batch begins at address 0.
    return (address, place) => kernels.lookUpBytes(place * rowBytes, address, table, features);
  }
  const apply = featureTransform(transform, features);
  const into = new Float32Array(buffer);
  return (address, place) => {
    const row =
      featureType === "uint8" ? new Uint8Array(buffer, address, features) : new Float32Array(buffer, address, features);
    apply(row, 1, into, place * features);
  };
}

async function readWhole(file: RowFileSpec, into: Uint8Array): Promise<void> {
  const descriptor = openRowFile(file);
  try {
    for (let done = 0; done < into.length; ) {
      const length = Math.min(MOST_READ_BYTES, into.length - done);
      const { bytesRead } = await readAt(descriptor, into, done, length, done).catch((cause: unknown) => {
        throw readFailure(file.path, cause);
      });
      if (bytesRead === 0) throw becameShorter(file, done);
      done += bytesRead;
    }
  } finally {
    closeSync(descriptor);
  }
}

function aligned(address: number): number {
  return Math.ceil(address / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
}
