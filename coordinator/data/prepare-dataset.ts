import { basename } from "node:path";
import type { DatasetSpec } from "../../shared/data/dataset-spec.js";
import { hashText } from "./content-hash.js";
import { type DataPaths, type DataSources, findSources } from "./data-sources.js";
import { DatasetCache } from "./dataset-cache.js";
import type { NetworkShape } from "./dataset-fit.js";
import { prepareImages } from "./prepare-images.js";
import { prepareTable } from "./prepare-table.js";
import type { RowsHold } from "./rows-hold.js";
import { refuseUnpackedBeyond } from "./unpacked-limit.js";

/** Raise when anything that is written changes, so that old caches are not taken for new ones. */
const FORMAT_VERSION = 2;

export interface PrepareRequest extends DataPaths, NetworkShape {
  /** Share of the rows to hold out, 0 ≤ f < 1; 0: none. Of no effect with `testPath`. */
  readonly testSplit: number;
  readonly seed: number;
  /** Created when it isn't there. */
  readonly cacheDirectory: string;
  /** Keeps the rows from being removed until it is disposed of; absent: they may be when others are prepared. */
  readonly hold?: RowsHold;
  /** What a gzip file may hold, at most; absent: any amount. */
  readonly maxUnpackedBytes?: number | undefined;
  readonly signal?: AbortSignal;
}

export interface PreparedDataset {
  /** Paths are absolute. */
  readonly dataset: DatasetSpec;
  /** Over the contents of all source files; lower-case hex. */
  readonly contentSha256: string;
  /** Over the bytes of the test rows as they were prepared; null: nothing is held out. */
  readonly testRowsSha256: string | null;
  /** 0-based first target column, to be kept with the model; null: the data is no table. */
  readonly labelColumn: number | null;
  /** What the table's header calls the features, in their order, to be kept with the model; null: there is no header, or no table. */
  readonly featureNames: readonly string[] | null;
  /** True when nothing had to be prepared. */
  readonly cached: boolean;
  /** For the user: full sentences without final period. */
  readonly warnings: readonly string[];
}

/**
 * Turns a user's files into row files for training and test, once: what has been prepared before from the same contents in the same
 * way is used again. A pure function of contents, network shape, split and seed. Memory: up to 13 bytes per row, whatever its size.
 * Two calls for the same data, also in two processes, may run at once.
 * @throws RingstrasseError INPUT_MISSING, DATA_INVALID, DATA_MISMATCH, CHOICE_UNSUPPORTED, USAGE, OUTPUT_UNWRITABLE; the signal's
 *   reason when aborted. Nothing is left behind
 */
export async function prepareDataset(request: PrepareRequest): Promise<PreparedDataset> {
  const { testSplit, hold, maxUnpackedBytes, signal } = request;
  if (!(testSplit >= 0 && testSplit < 1)) throw new RangeError(`testSplit is ${testSplit}`);
  const sources = await findSources(request, signal);
  const cache = new DatasetCache(request.cacheDirectory);
  const prepare = sources.format === "csv" ? prepareTable : prepareImages;
  const build = async (folder: string) => {
    if (maxUnpackedBytes !== undefined)
      for (const path of sources.files) await refuseUnpackedBeyond(path, maxUnpackedBytes, signal);
    const prepared = await prepare(request, sources, folder);
    await sources.assertUnchanged();
    return prepared;
  };
  const { entry, cached, repaired } = await cache.keep(cacheKey(request, sources), { build, hold, signal });
  const { dataset, contentSha256, labelColumn, featureNames, files } = entry;
  const testRowsSha256 = dataset.test === null ? null : (files[basename(dataset.test.path)]?.sha256 ?? null);
  const notes = repaired === null ? [] : [`Prepared data was damaged and has been prepared again (${repaired})`];
  const warnings = [...notes, ...entry.warnings];
  return { dataset, contentSha256, testRowsSha256, labelColumn, featureNames, cached, warnings };
}

function cacheKey(request: PrepareRequest, sources: DataSources): string {
  const { features, target, labelIndex, testSplit, seed } = request;
  const { format, contentSha256, test } = sources;
  // Only images can have another shape than the network expects; absent keys leave the texts of older caches as they were.
  const image = format === "csv" ? undefined : request.image;
  const split = test === null ? { testSplit, seed: testSplit === 0 ? 0 : seed } : null;
  return hashText(
    JSON.stringify({ version: FORMAT_VERSION, format, contentSha256, features, image, target, labelIndex, split }),
  );
}
