import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SeededChoice } from "../support/seeded-choice.js";

const SIDE = 28;
const CLASSES = 10;
/** As many pixels of a digit are not blank. */
const INKED = 0.2;
/** What the bytes of an IDX file begin with: unsigned bytes, in so many dimensions. */
const UNSIGNED_BYTES = 0x08;

/** Enough that an epoch is many steps of the usual sizes. */
const LEAST_ROWS = 25_600;
/** As many are compared between systems, within one epoch: each has an order of its own for the next. */
const LEAST_STEPS = 10;

/** Rows of an epoch of whole steps: none is shorter than the others. @param globalBatch rows of a step over all ranks */
export function rowsOfWholeSteps(globalBatch: number): number {
  return Math.max(LEAST_STEPS, Math.ceil(LEAST_ROWS / globalBatch)) * globalBatch;
}

/**
 * Images of 28 × 28 bytes and their labels as IDX files, named as MNIST's: they cost as much as digits and mean nothing. Always the same.
 * @returns the path of the images; the labels lie beside them
 */
export async function writeGeneratedImages(folder: string, count: number): Promise<string> {
  const choice = new SeededChoice(1);
  const pixels = Buffer.alloc(count * SIDE * SIDE);
  for (let at = 0; at < pixels.length; at++) if (choice.next() < INKED) pixels[at] = choice.whole(1, 255);
  const labels = Buffer.from(Array.from({ length: count }, () => choice.whole(0, CLASSES - 1)));
  const path = join(folder, "train-images-idx3-ubyte");
  await writeFile(path, Buffer.concat([header([count, SIDE, SIDE]), pixels]));
  await writeFile(join(folder, "train-labels-idx1-ubyte"), Buffer.concat([header([count]), labels]));
  return path;
}

function header(extents: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 + 4 * extents.length);
  bytes.writeUInt32BE(UNSIGNED_BYTES * 256 + extents.length);
  for (const [index, extent] of extents.entries()) bytes.writeUInt32BE(extent, 4 + 4 * index);
  return bytes;
}
