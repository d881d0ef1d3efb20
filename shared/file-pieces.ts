import { createReadStream } from "node:fs";

/**
 * The bytes of a file, piece by piece. It is opened when the first piece is asked for, and closed however the reader ends: who never
 * asks has nothing to close, and hears of no error. @throws the system's error when it can't be read
 */
export async function* filePieces(path: string): AsyncGenerator<Uint8Array, void, void> {
  for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) yield piece;
}
