import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { createDirectory } from "../../shared/create-directory.js";
import { type DatasetSpec, DatasetSpecSchema } from "../../shared/data/dataset-spec.js";
import { syncDirectory, writeNewFile } from "../../shared/durable-file.js";
import { isSystemError, writeFailure } from "../../shared/write-failure.js";
import { hashFile, hashText } from "./content-hash.js";
import { DESCRIPTION, isUnfinishedEntry } from "./kept-entry.js";
import { removeUnusedRows, type UnusedRows } from "./remove-unused-rows.js";
import { type RowsHold, touch } from "./rows-hold.js";

/** Nobody prepares one data set for so long: an unfinished folder of that age was left by a process that died. */
const ABANDONED_AFTER_MS = 24 * 3600 * 1000;
/** Rows that nobody uses are kept for the next run: up to so many bytes, and for so long. */
const UNUSED: UnusedRows = { mostBytes: 20e9, mostMs: 30 * 24 * 3600 * 1000 };

const whole = z.number().int().nonnegative();
const FileFactsSchema = z.object({ rowCount: whole, sizeBytes: whole, sha256: z.string() });
const PreparedRowsSchema = z.object({
  /** Paths are names of files beside the description. */
  dataset: DatasetSpecSchema,
  contentSha256: z.string(),
  labelColumn: whole.nullable(),
  featureNames: z.array(z.string()).nullable(),
  warnings: z.array(z.string()),
  files: z.record(z.string(), FileFactsSchema),
});
/** A prepared data set as it is kept. */
export type PreparedRows = z.infer<typeof PreparedRowsSchema>;
const DescriptionSchema = z.object({ checksum: z.string(), entry: z.unknown() });

/** How an entry is to be made, and kept. */
export interface Keeping {
  /** Makes it, in the folder that it is given. */
  readonly build: (folder: string) => Promise<PreparedRows>;
  /** Takes it, so that it stays until that is disposed of; absent: it may be removed when others are made. */
  readonly hold?: RowsHold | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Kept {
  readonly entry: PreparedRows;
  /** True when it was there already. */
  readonly cached: boolean;
  /** Why a kept entry was not good enough and was made anew; null otherwise. */
  readonly repaired: string | null;
}

/**
 * Prepared data sets, one folder each, named by a key that says everything that their bytes depend on. Several processes may use one
 * cache at once: entries appear whole, by renaming, and are never changed afterwards (other than to the same bytes).
 */
export class DatasetCache {
  readonly #directory: string;
  readonly #unused: UnusedRows;

  /** @param unused what is kept of rows that nobody uses; default: 20 GB, 30 days */
  constructor(directory: string, unused = UNUSED) {
    this.#directory = resolve(directory);
    this.#unused = unused;
  }

  /**
   * The entry of a key, made where there is none or a damaged one; before that others are removed that nobody uses.
   * Every file is read through once to compare its checksum.
   * @throws RingstrasseError OUTPUT_UNWRITABLE; what `build` throws: then nothing is left behind
   */
  async keep(key: string, { build, hold, signal }: Keeping): Promise<Kept> {
    try {
      await hold?.take(this.#directory, key);
      const found = await this.#find(key, signal);
      if (typeof found === "object") {
        await touch(join(this.#folder(key), DESCRIPTION));
        return { entry: found, cached: true, repaired: null };
      }
      await createDirectory(this.#directory);
      await this.#removeAbandoned();
      await removeUnusedRows(this.#directory, this.#unused);
      const unfinished = join(this.#directory, `.${key}.unfinished-${randomBytes(6).toString("hex")}`);
      try {
        await mkdir(unfinished);
        await writeDescription(unfinished, await build(unfinished));
        await this.#publish(unfinished, key, signal);
      } finally {
        await rm(unfinished, { recursive: true, force: true });
      }
      const made = await this.#find(key, signal);
      if (typeof made === "string")
        throw new RangeError(`the data set just prepared in ${this.#folder(key)} is damaged: ${made}`);
      return { entry: made, cached: false, repaired: found === "absent" ? null : found };
    } catch (cause) {
      throw writeFailure(this.#directory, cause);
    }
  }

  #folder(key: string): string {
    return join(this.#directory, key);
  }

  /** The entry with absolute paths; else `absent`, or what is wrong with it. */
  async #find(key: string, signal: AbortSignal | undefined): Promise<PreparedRows | "absent" | string> {
    const folder = this.#folder(key);
    const entry = await readDescription(folder);
    if (typeof entry === "string") return entry;
    for (const [name, facts] of Object.entries(entry.files)) {
      const path = join(folder, name);
      const size = await sizeOf(path);
      if (size !== facts.sizeBytes) return `${path} has ${size ?? "no"} bytes, expected ${facts.sizeBytes}`;
      if ((await hashFile(path, signal)) !== facts.sha256) return `the checksum of ${path} is wrong`;
    }
    return { ...entry, dataset: withFolder(entry.dataset, folder) };
  }

  /** Gives a finished folder its name. If a sound entry has the name by now, that one stays; a damaged one is replaced. */
  async #publish(unfinished: string, key: string, signal: AbortSignal | undefined): Promise<void> {
    const folder = this.#folder(key);
    try {
      await rename(unfinished, folder);
    } catch (cause) {
      if (!isSystemError(cause) || (cause.code !== "ENOTEMPTY" && cause.code !== "EEXIST")) throw cause;
      if (typeof (await this.#find(key, signal)) === "object") return;
      // File by file, the description last: equal keys mean equal bytes, so whoever reads one of them meanwhile loses nothing.
      const names = (await readdir(unfinished)).filter((name) => name !== DESCRIPTION);
      for (const name of [...names, DESCRIPTION]) await rename(join(unfinished, name), join(folder, name));
      await syncDirectory(folder);
    }
    await syncDirectory(this.#directory);
  }

  async #removeAbandoned(): Promise<void> {
    for (const name of await readdir(this.#directory)) {
      if (!isUnfinishedEntry(name)) continue;
      const path = join(this.#directory, name);
      const stats = await stat(path).catch(() => null);
      if (stats !== null && Date.now() - stats.mtimeMs > ABANDONED_AFTER_MS)
        await rm(path, { recursive: true, force: true });
    }
  }
}

async function writeDescription(folder: string, entry: PreparedRows): Promise<void> {
  const text = JSON.stringify({ checksum: hashText(JSON.stringify(entry)), entry }, null, 2);
  await writeNewFile(join(folder, DESCRIPTION), [Buffer.from(`${text}\n`)]);
  await syncDirectory(folder);
}

async function readDescription(folder: string): Promise<PreparedRows | string> {
  const path = join(folder, DESCRIPTION);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if (!isSystemError(cause)) throw cause;
    if (cause.code !== "ENOENT") throw cause;
    return (await sizeOf(folder)) === null ? "absent" : `${path} is missing`;
  }
  const description = DescriptionSchema.safeParse(parseJson(text));
  if (!description.success) return `${path} is no description of a data set`;
  const { checksum, entry } = description.data;
  if (hashText(JSON.stringify(entry)) !== checksum) return `the checksum in ${path} is wrong`;
  const parsed = PreparedRowsSchema.safeParse(entry);
  return parsed.success ? parsed.data : `${path} was written by another version`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No JSON is no description either; the caller says so.
    return null;
  }
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (cause) {
    if (isSystemError(cause) && cause.code === "ENOENT") return null;
    throw cause;
  }
}

function withFolder(dataset: DatasetSpec, folder: string): DatasetSpec {
  const { train, test } = dataset;
  return {
    ...dataset,
    train: { ...train, path: join(folder, train.path) },
    test: test === null ? null : { ...test, path: join(folder, test.path) },
  };
}
