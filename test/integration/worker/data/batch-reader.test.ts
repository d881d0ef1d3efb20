import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { RowFileSpec } from "../../../../shared/data/dataset-spec.js";
import type * as BatchReaderModule from "../../../../worker/data/batch-reader.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

// A thread is started from a compiled file, which the project's global set-up has built.
const compiled = new URL("../../../../dist/worker/data/batch-reader.js", import.meta.url).href;
const { BatchReader } = (await import(compiled)) as typeof BatchReaderModule;

/** Row r holds 2r and 2r + 1, and class r. */
async function rowFile(rowCount: number): Promise<RowFileSpec> {
  const bytes = Buffer.alloc(rowCount * 12);
  for (let row = 0; row < rowCount; row++) {
    bytes.writeFloatLE(2 * row, row * 12);
    bytes.writeFloatLE(2 * row + 1, row * 12 + 4);
    bytes.writeUInt32LE(row, row * 12 + 8);
  }
  const path = join(await temporaryDirectory(), "train.rows");
  await writeFile(path, bytes);
  return { path, rowCount, features: 2, featureType: "float32", targetType: "class", targets: 1 };
}

const NONE = { kind: "none" as const };

/** The classes of the next batch: its row numbers; null for no rows. */
async function nextRows(reader: BatchReaderModule.BatchReader, signal?: AbortSignal): Promise<number[] | null> {
  const batch = await reader.next(signal);
  if (batch === null) return null;
  if (batch.targets.kind !== "class") throw new Error("rows have classes");
  const rows = [...batch.targets.classes];
  expect([...batch.x]).toEqual(rows.flatMap((row) => [2 * row, 2 * row + 1]));
  expect(batch.count).toBe(rows.length);
  return rows;
}

/** What a rejected call carries, whichever copy of the class the compiled module throws. */
async function rejection(call: Promise<unknown>): Promise<unknown> {
  const thrown: unknown = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  return thrown instanceof Error && "failure" in thrown ? thrown.failure : thrown;
}

describe("BatchReader", () => {
  it("answers requests in order, one ahead or many, empty ones too", async () => {
    const file = await rowFile(1000);
    await using reader = BatchReader.open(file, NONE, { maxRows: 3 });
    const asked = Array.from({ length: 50 }, (_, index) => (index % 7 === 3 ? [] : [index * 3, 999 - index, index]));
    for (const rows of asked.slice(0, 20)) reader.prefetch(Uint32Array.from(rows));
    for (const [index, rows] of asked.entries()) {
      expect(await nextRows(reader)).toEqual(rows.length === 0 ? null : rows);
      const ahead = asked[index + 20];
      if (ahead !== undefined) reader.prefetch(Uint32Array.from(ahead));
    }
  });

  it("leaves a batch alone until the next one is asked for", async () => {
    const file = await rowFile(100);
    await using reader = BatchReader.open(file, NONE, { maxRows: 2, slots: 2 });
    for (const row of [10, 20, 30, 40]) reader.prefetch(Uint32Array.of(row, row + 1));
    const first = await reader.next();
    const rows = Uint32Array.of(7);
    reader.prefetch(rows);
    rows[0] = 8;
    expect([...(first?.x ?? [])]).toEqual([20, 21, 22, 23]);
    for (const row of [20, 30, 40]) expect(await nextRows(reader)).toEqual([row, row + 1]);
    expect(await nextRows(reader)).toEqual([7]);
  });

  it("works with a single slot", async () => {
    await using reader = BatchReader.open(await rowFile(10), NONE, { maxRows: 1, slots: 1 });
    for (const row of [1, 2, 3]) reader.prefetch(Uint32Array.of(row));
    for (const row of [1, 2, 3]) expect(await nextRows(reader)).toEqual([row]);
  });

  it("tells a request's failure to its next(), and goes on", async () => {
    const file = await rowFile(10);
    await using reader = BatchReader.open(file, NONE, { maxRows: 2 });
    for (const row of [1, 10, 2, 11, 12, 13, 3]) reader.prefetch(Uint32Array.of(row));
    expect(await nextRows(reader)).toEqual([1]);
    expect(await rejection(reader.next())).toMatchObject({ code: "DATA_INVALID", file: file.path, row: 11 });
    expect(await nextRows(reader)).toEqual([2]);
    for (const row of [12, 13, 14]) expect(await rejection(reader.next())).toMatchObject({ code: "DATA_INVALID", row });
    expect(await nextRows(reader)).toEqual([3]);
  });

  it("names a file that is missing or has another size", async () => {
    const file = await rowFile(10);
    await using missing = BatchReader.open({ ...file, path: `${file.path}.no` }, NONE, { maxRows: 1 });
    missing.prefetch(Uint32Array.of(1));
    expect(await rejection(missing.next())).toMatchObject({ code: "INPUT_MISSING", file: `${file.path}.no` });
    await truncate(file.path, 60);
    await using short = BatchReader.open(file, NONE, { maxRows: 1 });
    short.prefetch(Uint32Array.of(1));
    expect(await rejection(short.next())).toMatchObject({ code: "DATA_INVALID", file: file.path });
  });

  it("stops waiting when aborted; the request stays the oldest", async () => {
    await using reader = BatchReader.open(await rowFile(10), NONE, { maxRows: 1 });
    reader.prefetch(Uint32Array.of(4));
    const reason = new Error("enough");
    const abort = new AbortController();
    const waiting = reader.next(abort.signal);
    abort.abort(reason);
    expect(await rejection(waiting)).toBe(reason);
    expect(await rejection(reader.next(AbortSignal.abort(reason)))).toBe(reason);
    expect(await nextRows(reader)).toEqual([4]);
  });

  it("refuses what can't be meant", async () => {
    const file = await rowFile(10);
    expect(() => BatchReader.open(file, NONE, { maxRows: 0 })).toThrow(RangeError);
    expect(() => BatchReader.open(file, NONE, { maxRows: 1, slots: 0 })).toThrow(RangeError);
    await using reader = BatchReader.open(file, NONE, { maxRows: 1 });
    expect(() => reader.prefetch(Uint32Array.of(1, 2))).toThrow(RangeError);
    await expect(reader.next()).rejects.toThrow("prefetch");
  });

  it("ends its thread, with requests open too; whoever still waits hears of it", async () => {
    const reader = BatchReader.open(await rowFile(10), NONE, { maxRows: 1, slots: 1 });
    for (const row of [1, 2, 3]) reader.prefetch(Uint32Array.of(row));
    expect(await nextRows(reader)).toEqual([1]);
    await reader[Symbol.asyncDispose]();
    reader.prefetch(Uint32Array.of(4));
    expect(await rejection(drain(reader))).toMatchObject({ code: "INTERNAL" });
  });
});

async function drain(reader: BatchReaderModule.BatchReader): Promise<void> {
  for (let request = 0; request < 4; request++) await reader.next();
}
