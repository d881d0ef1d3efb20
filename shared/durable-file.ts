import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Largest piece given to one write: system calls take less than 2 GiB. */
const CHUNK_BYTES = 64 * 1024 * 1024;

/** A name beside `path` that no other process picks; what bears it is unfinished and may be deleted. */
export function unfinishedSibling(path: string): string {
  return join(dirname(path), `.${basename(path)}.unfinished-${randomBytes(6).toString("hex")}`);
}

/** Writes a new file of the pieces, one after the other, and returns when the device has them. @throws system errors; EEXIST too */
export async function writeNewFile(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  const file = await open(path, "wx");
  try {
    for (const piece of pieces) {
      for (let from = 0; from < piece.byteLength; from += CHUNK_BYTES) {
        await file.writeFile(piece.subarray(from, from + CHUNK_BYTES));
      }
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes renames and new names in a directory survive a power cut. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Replaces `path` by the bytes at once: readers see the old file or the new one, never a part. @throws system errors */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const unfinished = unfinishedSibling(path);
  try {
    await writeNewFile(unfinished, [bytes]);
    await rename(unfinished, path);
  } catch (cause) {
    await rm(unfinished, { force: true });
    throw cause;
  }
  await syncDirectory(dirname(path));
}
