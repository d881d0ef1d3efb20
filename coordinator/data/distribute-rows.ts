import { join } from "node:path";
import type { ColumnStatistics } from "./column-statistics.js";
import { type FileFacts, RowFileWriter } from "./row-file-writer.js";
import type { RowPiece } from "./row-pieces.js";

/** Names of the row files of a prepared data set. */
export const ROW_FILES = { train: "train.rows", test: "test.rows" } as const;

export interface Distribution {
  /** One byte per row, 1 = a test row; null: all rows are training rows. */
  readonly heldOut: Uint8Array | null;
  /** Class of each row; null: the rows have none. */
  readonly labels: Uint32Array | null;
  /** Fitted on the training rows, which then begin with float32 features; null: not wanted. */
  readonly statistics: ColumnStatistics | null;
}

/**
 * Writes each row, in the order they come, to the folder's training or test rows.
 * @returns facts of the files; `test` null when nothing was held out
 */
export async function writeSplit(
  folder: string,
  pieces: AsyncIterable<RowPiece>,
  distribution: Distribution,
): Promise<{ train: FileFacts; test: FileFacts | null }> {
  const { heldOut } = distribution;
  await using train = await RowFileWriter.create(join(folder, ROW_FILES.train));
  await using test = heldOut === null ? null : await RowFileWriter.create(join(folder, ROW_FILES.test));
  await distributeRows(pieces, distribution, { train, test });
  return { train: await train.finish(), test: test === null ? null : await test.finish() };
}

/** Writes rows none of which is held out. */
export async function writeRows(
  path: string,
  pieces: AsyncIterable<RowPiece>,
  labels: Uint32Array,
): Promise<FileFacts> {
  await using train = await RowFileWriter.create(path);
  await distributeRows(pieces, { heldOut: null, labels, statistics: null }, { train, test: null });
  return await train.finish();
}

async function distributeRows(
  pieces: AsyncIterable<RowPiece>,
  distribution: Distribution,
  to: { readonly train: RowFileWriter; readonly test: RowFileWriter | null },
): Promise<void> {
  const { heldOut, labels, statistics } = distribution;
  const { train, test } = to;
  for await (const { first, count, bytes } of pieces) {
    const size = bytes.byteLength / count;
    for (let index = 0; index < count; index++) {
      const row = first + index;
      const values = bytes.subarray(index * size, (index + 1) * size);
      const held = heldOut !== null && heldOut[row] === 1;
      const writer = held && test !== null ? test : train;
      writer.append(values, labels === null ? null : (labels[row] as number));
      if (!held) statistics?.add(new Float32Array(values.buffer, values.byteOffset, size / 4));
    }
    await train.drain();
    await test?.drain();
  }
}
