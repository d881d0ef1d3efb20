import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { parseTar } from "nanotar";
import { ArchiveDamaged, type ArchiveEntry } from "./archive.js";

/** An npm package that engines need is small; nothing larger is unpacked. */
const MOST_BYTES = 256 * 2 ** 20;

/** Reads an npm package's `.tgz`, in memory. */
export async function readTarGz(path: string, visit: (entry: ArchiveEntry) => Promise<void>): Promise<void> {
  const packed = await readFile(path);
  const bytes = await promisify(gunzip)(packed, { maxOutputLength: MOST_BYTES }).catch((cause: unknown) => {
    throw new ArchiveDamaged(cause instanceof Error ? cause.message : String(cause), { cause });
  });
  // A copy: the parser takes the whole buffer behind an array for its own.
  for (const { name, type, data, attrs, size } of parseTar(new Uint8Array(bytes))) {
    if (type !== "file" && type !== undefined) continue;
    if (data === undefined || data.byteLength !== size) throw new ArchiveDamaged(`${name} is cut off`);
    const isExecutable = (Number.parseInt(attrs?.mode ?? "0", 8) & 0o111) !== 0;
    await visit({ name, sizeBytes: size, isExecutable, open: () => Promise.resolve(Readable.from([data])) });
  }
}
