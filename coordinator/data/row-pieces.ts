import { type FileHandle, open } from "node:fs/promises";

const PIECE_BYTES = 256 * 1024;

/** Some consecutive rows without their classes. */
export interface RowPiece {
  /** 0-based number of the first one. */
  readonly first: number;
  readonly count: number;
  /** `[count, bytes per row]`; valid until the next piece is asked for. */
  readonly bytes: Uint8Array;
}

/** The rows of a file of fixed-size rows, front to back. Pieces of at most 256 KiB, or one row. */
export async function* readPieces(path: string, rowCount: number, rowSizeBytes: number): AsyncGenerator<RowPiece> {
  const perPiece = Math.max(1, Math.floor(PIECE_BYTES / rowSizeBytes));
  // A buffer of its own, not of Node's pool: rows are viewed as float32, which needs alignment.
  const buffer = new Uint8Array(perPiece * rowSizeBytes);
  const file = await open(path, "r");
  try {
    for (let first = 0; first < rowCount; first += perPiece) {
      const count = Math.min(perPiece, rowCount - first);
      const bytes = buffer.subarray(0, count * rowSizeBytes);
      await readFully(file, bytes, first * rowSizeBytes);
      yield { first, count, bytes };
    }
  } finally {
    await file.close();
  }
}

async function readFully(file: FileHandle, into: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < into.byteLength) {
    const { bytesRead } = await file.read(into, done, into.byteLength - done, position + done);
    if (bytesRead === 0) throw new RangeError(`a row file that was just written ends at byte ${position + done}`);
    done += bytesRead;
  }
}
