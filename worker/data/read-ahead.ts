import { type RowFileSpec, rowSizeBytes } from "../../shared/data/dataset-spec.js";
import { rowBuffersSizeBytes } from "./row-buffers.js";

/** Read in random order, nearly every row costs a system call, several times what its use costs, and handing batches over as much again (ADR 35). */
const LOADED_FILE_BYTES = 64 * 1024 * 1024;
/**
 * Batches read before they are needed. One would do if the reader's thread always got its turn; where other work wants the same core, it
 * may have to wait for several milliseconds, longer than a step takes.
 */
const READ_AHEAD = 2;
/** A step of larger batches takes much longer than the reader's thread ever waits, and each batch read ahead would take as much memory again. */
const LARGE_BATCH_BYTES = 64 * 1024 * 1024;

/** Whether a file's rows lie in memory, all of them, while they are used. Pure. */
export function isLoaded(file: RowFileSpec): boolean {
  return file.rowCount * rowSizeBytes(file) <= LOADED_FILE_BYTES;
}

/** Batches of up to `maxRows` rows that are asked for before they are needed; where rows are loaded, that costs nothing. Pure. */
export function readAheadOf(file: RowFileSpec, maxRows: number): number {
  return isLoaded(file) || rowBuffersSizeBytes(file, maxRows) <= LARGE_BATCH_BYTES ? READ_AHEAD : 0;
}

/** Memory that batches read ahead take, beside the one in use. Pure. */
export function readAheadSizeBytes(file: RowFileSpec, maxRows: number): number {
  return isLoaded(file) ? 0 : readAheadOf(file, maxRows) * rowBuffersSizeBytes(file, maxRows);
}
