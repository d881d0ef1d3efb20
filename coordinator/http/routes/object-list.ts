import { Readable } from "node:stream";
import type { JobObject } from "../../service/job-service.js";
import { objectJson } from "./object-answer.js";

/**
 * All objects as one JSON array, written as it is read: memory does not grow with their number. Resolves when the first is there, so
 * that a store that fails at once is still answered as an error; later failures break the stream off.
 */
export async function streamObjects(objects: AsyncIterable<JobObject>): Promise<Readable> {
  const pieces = arrayPieces(objects);
  const first = await pieces.next();
  return Readable.from(first.done ? [] : followedBy(first.value, pieces));
}

async function* arrayPieces(objects: AsyncIterable<JobObject>): AsyncGenerator<Buffer, void, void> {
  let separator = "[";
  for await (const object of objects) {
    yield Buffer.from(`${separator}${objectJson(object)}`);
    separator = ",";
  }
  yield Buffer.from(separator === "[" ? "[]" : "]");
}

async function* followedBy(
  first: Buffer,
  rest: AsyncGenerator<Buffer, void, void>,
): AsyncGenerator<Buffer, void, void> {
  try {
    yield first;
    yield* rest;
  } finally {
    // Also when the client goes away before the rest has been asked for.
    await rest.return();
  }
}
