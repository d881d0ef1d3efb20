import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { Transform, type TransformCallback } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createDirectory } from "../../shared/create-directory.js";
import type { EngineFile } from "../../shared/engine-store/engine-manifest.js";
import { ArchiveDamaged, type ArchiveEntry, type ReadArchive } from "./archive.js";
import { engineUnavailable } from "./engine-failure.js";
import { type PackageSource, placeOf, sourceTitle } from "./package-source.js";
import { readTarGz } from "./tar-archive.js";
import { readZip } from "./zip-archive.js";

export interface Unpacking {
  /** For messages. */
  readonly engine: string;
  readonly source: PackageSource;
  readonly archivePath: string;
  /** The engine's directory. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

const READERS: Readonly<Record<PackageSource["registry"], ReadArchive>> = { pypi: readZip, npm: readTarGz };

/**
 * Writes what an engine needs of one archive, each file once and on the device when this returns.
 * @returns the files with their checksums, taken while they were written.
 * @throws RingstrasseError ENGINE_UNAVAILABLE: the archive is damaged, dangerous, or lacks what is needed; system
 * errors
 */
export async function unpackSource(unpacking: Unpacking): Promise<EngineFile[]> {
  const { engine, source, archivePath, signal } = unpacking;
  const files: EngineFile[] = [];
  const missing = new Set(source.take.filter((rule) => rule.isOptional !== true));
  try {
    await READERS[source.registry](archivePath, async (entry) => {
      signal.throwIfAborted();
      const rule = source.take.find(({ pattern }) => pattern.test(entry.name));
      const place = placeOf(source, entry.name);
      if (rule === undefined || place === null) return;
      missing.delete(rule);
      files.push(await writeEntry(entry, place, unpacking));
    });
  } catch (cause) {
    if (!(cause instanceof ArchiveDamaged)) throw cause;
    const problem = `${source.file} of ${sourceTitle(source)} is damaged or dangerous: ${cause.message}`;
    throw engineUnavailable({ engine, problem, remedy: "Use another registry, and tell who keeps this one" }, cause);
  }
  const [lacking] = missing;
  if (lacking !== undefined) {
    const problem = `${source.file} of ${sourceTitle(source)} has nothing like ${lacking.pattern.source}`;
    throw engineUnavailable({ engine, problem, remedy: "Use another registry, and tell who keeps this one" });
  }
  return files;
}

async function writeEntry(entry: ArchiveEntry, place: string, { directory, signal }: Unpacking): Promise<EngineFile> {
  const path = join(directory, place);
  const within = relative(directory, path);
  if (within === "" || within.startsWith("..") || within !== place) {
    throw new ArchiveDamaged(`${entry.name} leads out of its directory`);
  }
  await createDirectory(dirname(path));
  const hash = createHash("sha256");
  let sizeBytes = 0;
  const measure = new Transform({
    transform(piece: Uint8Array, _encoding: BufferEncoding, done: TransformCallback) {
      hash.update(piece);
      sizeBytes += piece.byteLength;
      done(null, piece);
    },
  });
  const target = createWriteStream(path, { flags: "wx", mode: entry.isExecutable ? 0o755 : 0o644 });
  try {
    await pipeline(await entry.open(), measure, target, { signal });
  } catch (cause) {
    signal.throwIfAborted();
    if (isInflateError(cause)) throw new ArchiveDamaged(`${entry.name}: ${cause.message}`, { cause });
    throw cause;
  }
  if (sizeBytes !== entry.sizeBytes)
    throw new ArchiveDamaged(`${entry.name} has ${sizeBytes} bytes, not ${entry.sizeBytes}`);
  await syncFile(path);
  return { path: place, sizeBytes, sha256: hash.digest("hex") };
}

/** zlib's errors and yauzl's own, but none of the operating system's. */
function isInflateError(cause: unknown): cause is Error {
  return cause instanceof Error && !("syscall" in cause);
}

/** Returns when the device has the file. @throws system errors */
export async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
