import { type FeatureTransform, type RowFileSpec, rowSizeBytes } from "../../shared/data/dataset-spec.js";
import { BatchReader, type BatchReaderOptions } from "./batch-reader.js";
import type { BatchSource } from "./batch-source.js";
import { LoadedBatches } from "./loaded-batches.js";

/** Read in random order, nearly every row costs a system call, several times what its use costs, and handing batches over as much again (ADR 35). */
const LOADED_FILE_BYTES = 64 * 1024 * 1024;

/** The batches of a row file: from memory for one of up to 64 MiB, else read by a thread of their own. @throws RangeError */
export function openBatches(file: RowFileSpec, transform: FeatureTransform, options: BatchReaderOptions): BatchSource {
  const isSmall = file.rowCount * rowSizeBytes(file) <= LOADED_FILE_BYTES;
  return isSmall ? LoadedBatches.open(file, transform, options.maxRows) : BatchReader.open(file, transform, options);
}
