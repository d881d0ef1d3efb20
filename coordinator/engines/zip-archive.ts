import { type Entry, openPromise, type ZipFile } from "yauzl";
import { ArchiveDamaged, type ArchiveEntry } from "./archive.js";

const EXECUTABLE = 0o111;
const FILE_TYPE = 0o170000;
const SYMBOLIC_LINK = 0o120000;

/** Reads a zip file (a Python wheel), zip64 too. yauzl refuses absolute names and `..`; links are refused here. */
export async function readZip(path: string, visit: (entry: ArchiveEntry) => Promise<void>): Promise<void> {
  const zip = await openPromise(path, {
    lazyEntries: true,
    autoClose: false,
    strictFileNames: true,
    validateEntrySizes: true,
  }).catch(refuse);
  try {
    const entries = zip.eachEntry();
    for (;;) {
      const next = await entries.next().catch(refuse);
      if (next.done === true) return;
      await visitEntry(zip, next.value, visit);
    }
  } finally {
    zip.close();
  }
}

async function visitEntry(zip: ZipFile, entry: Entry, visit: (entry: ArchiveEntry) => Promise<void>): Promise<void> {
  const name = entry.fileName;
  if (name.endsWith("/")) return;
  const mode = entry.externalFileAttributes >>> 16;
  if ((mode & FILE_TYPE) === SYMBOLIC_LINK) throw new ArchiveDamaged(`${name} is a link`);
  await visit({
    name,
    sizeBytes: entry.uncompressedSize,
    isExecutable: (mode & EXECUTABLE) !== 0,
    open: () => zip.openReadStreamPromise(entry).catch(refuse),
  });
}

function refuse(cause: unknown): never {
  if (cause instanceof Error && !("syscall" in cause)) throw new ArchiveDamaged(cause.message, { cause });
  throw cause;
}
