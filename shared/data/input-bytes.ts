import { type FileHandle, open } from "node:fs/promises";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { dataInvalid, inputMissing, readFailure } from "./data-failure.js";

const CHUNK_BYTES = 256 * 1024;

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Give the bytes as they lie on the disk, even of a gzip file. Default false. */
  readonly raw?: boolean;
}

/**
 * The bytes of a file, piece by piece, unpacked when they are gzip (told by content, not by name). One piece is held at a time.
 * The file is closed when the iteration ends, however it ends.
 * @throws RingstrasseError INPUT_MISSING, DATA_INVALID (damaged gzip); the signal's reason when aborted
 */
export async function* readBytes(path: string, options: ReadOptions = {}): AsyncGenerator<Buffer, void, undefined> {
  const { signal, raw = false } = options;
  signal?.throwIfAborted();
  const file = await openRegularFile(path);
  try {
    const packed = !raw && (await startsLikeGzip(file));
    const bytes = file.createReadStream({ start: 0, autoClose: false, highWaterMark: CHUNK_BYTES });
    // Errors of either stream come out of the iteration, so the callback has nothing left to do.
    const chunks = packed ? pipeline(bytes, createGunzip({ chunkSize: CHUNK_BYTES }), () => undefined) : bytes;
    for await (const chunk of chunks) {
      signal?.throwIfAborted();
      yield chunk as Buffer;
    }
  } catch (cause) {
    throw isZlibError(cause)
      ? dataInvalid({ file: path }, `damaged gzip data (${cause.message})`, "Fetch or pack the file again", cause)
      : readFailure(path, cause);
  } finally {
    await file.close();
  }
}

/** The first bytes of a file, unpacked when they are gzip; fewer than asked for where the file is shorter. @throws as readBytes */
export async function readStart(path: string, sizeBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of readBytes(path)) {
    pieces.push(piece);
    length += piece.byteLength;
    if (length >= sizeBytes) break;
  }
  return Buffer.concat(pieces).subarray(0, sizeBytes);
}

/** Whether a file is gzip, by its content. @throws as readBytes */
export async function isPacked(path: string): Promise<boolean> {
  const file = await openRegularFile(path);
  try {
    return await startsLikeGzip(file);
  } catch (cause) {
    throw readFailure(path, cause);
  } finally {
    await file.close();
  }
}

async function openRegularFile(path: string): Promise<FileHandle> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (cause) {
    throw readFailure(path, cause);
  }
  const stats = await file.stat();
  if (stats.isFile()) return file;
  await file.close();
  throw stats.isDirectory()
    ? inputMissing(path, "it is a folder, not a file", "Name a file in it")
    : inputMissing(path, "it is not a regular file, and data is read more than once", "Write the data to a file first");
}

async function startsLikeGzip(file: FileHandle): Promise<boolean> {
  const magic = new Uint8Array(2);
  const { bytesRead } = await file.read(magic, 0, 2, 0);
  return bytesRead === 2 && magic[0] === 0x1f && magic[1] === 0x8b;
}

function isZlibError(thrown: unknown): thrown is Error {
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "string" && thrown.code.startsWith("Z_");
}
