import type { FeatureTransform, RowFileSpec } from "../../shared/data/dataset-spec.js";
import { BatchReader, type BatchReaderOptions } from "./batch-reader.js";
import type { BatchSource } from "./batch-source.js";
import { LoadedBatches } from "./loaded-batches.js";
import { isLoaded } from "./read-ahead.js";

/** The batches of a row file: from memory for one of up to 64 MiB, else read by a thread of their own. @throws RangeError */
export function openBatches(file: RowFileSpec, transform: FeatureTransform, options: BatchReaderOptions): BatchSource {
  return isLoaded(file)
    ? LoadedBatches.open(file, transform, options.maxRows)
    : BatchReader.open(file, transform, options);
}
