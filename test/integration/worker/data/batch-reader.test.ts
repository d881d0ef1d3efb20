import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { RowFileSpec } from "../../../../shared/data/dataset-spec.js";
import type * as BatchReaderModule from "../../../../worker/data/batch-reader.js";
import type { BatchSource } from "../../../../worker/data/batch-source.js";
import type * as LoadedBatchesModule from "../../../../worker/data/loaded-batches.js";
import type * as OpenBatchesModule from "../../../../worker/data/open-batches.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

// A thread is started from a compiled file, which the project's global set-up has built.
const compiled = (name: string) => new URL(`../../../../dist/worker/data/${name}.js`, import.meta.url).href;
const { BatchReader } = (await import(compiled("batch-reader"))) as typeof BatchReaderModule;
const { LoadedBatches } = (await import(compiled("loaded-batches"))) as typeof LoadedBatchesModule;
const { openBatches } = (await import(compiled("open-batches"))) as typeof OpenBatchesModule;

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
async function nextRows(reader: BatchSource, signal?: AbortSignal): Promise<number[] | null> {
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

type Open = (file: RowFileSpec, maxRows: number) => BatchSource;

describe.each<{ what: string; open: Open }>([
  { what: "BatchReader", open: (file, maxRows) => BatchReader.open(file, NONE, { maxRows }) },
  { what: "BatchReader with one slot", open: (file, maxRows) => BatchReader.open(file, NONE, { maxRows, slots: 1 }) },
  { what: "LoadedBatches", open: (file, maxRows) => LoadedBatches.open(file, NONE, maxRows) },
])("$what", ({ open }) => {
  it("answers requests in order, one ahead or many, empty ones too", async () => {
    const file = await rowFile(1000);
    await using reader = open(file, 3);
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
    await using reader = open(file, 2);
    for (const row of [10, 20, 30, 40]) reader.prefetch(Uint32Array.of(row, row + 1));
    const first = await reader.next();
    const rows = Uint32Array.of(7);
    reader.prefetch(rows);
    rows[0] = 8;
    expect([...(first?.x ?? [])]).toEqual([20, 21, 22, 23]);
    for (const row of [20, 30, 40]) expect(await nextRows(reader)).toEqual([row, row + 1]);
    expect(await nextRows(reader)).toEqual([7]);
  });

  it("tells a request's failure to its next(), and goes on", async () => {
    const file = await rowFile(10);
    await using reader = open(file, 2);
    for (const row of [1, 10, 2, 11, 12, 13, 3]) reader.prefetch(Uint32Array.of(row));
    expect(await nextRows(reader)).toEqual([1]);
    expect(await rejection(reader.next())).toMatchObject({ code: "DATA_INVALID", file: file.path, row: 11 });
    expect(await nextRows(reader)).toEqual([2]);
    for (const row of [12, 13, 14]) expect(await rejection(reader.next())).toMatchObject({ code: "DATA_INVALID", row });
    expect(await nextRows(reader)).toEqual([3]);
  });

  it("names a file that is missing or has another size", async () => {
    const file = await rowFile(10);
    await using missing = open({ ...file, path: `${file.path}.no` }, 1);
    missing.prefetch(Uint32Array.of(1));
    expect(await rejection(missing.next())).toMatchObject({ code: "INPUT_MISSING", file: `${file.path}.no` });
    await truncate(file.path, 60);
    await using short = open(file, 1);
    short.prefetch(Uint32Array.of(1));
    expect(await rejection(short.next())).toMatchObject({ code: "DATA_INVALID", file: file.path });
  });

  it("stops waiting when aborted; the request stays the oldest", async () => {
    await using reader = open(await rowFile(10), 1);
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
    expect(() => open(file, 0)).toThrow(RangeError);
    await using reader = open(file, 1);
    expect(() => reader.prefetch(Uint32Array.of(1, 2))).toThrow(RangeError);
    await expect(reader.next()).rejects.toThrow("prefetch");
  });

  it("ends its thread, with requests open too; whoever still waits hears of it", async () => {
    const reader = open(await rowFile(10), 1);
    for (const row of [1, 2, 3]) reader.prefetch(Uint32Array.of(row));
    expect(await nextRows(reader)).toEqual([1]);
    await reader[Symbol.asyncDispose]();
    reader.prefetch(Uint32Array.of(4));
    expect(await rejection(drain(reader))).toMatchObject({ code: "INTERNAL" });
  });
});

describe("openBatches", () => {
  it("takes a file of up to 64 MiB from memory, a larger one from a thread", async () => {
    const file = await rowFile(10);
    await using small = openBatches(file, NONE, { maxRows: 1 });
    expect(small).toBeInstanceOf(LoadedBatches);
    const rowCount = Math.ceil((64 * 2 ** 20) / 12) + 1;
    await truncate(file.path, rowCount * 12);
    await using large = openBatches({ ...file, rowCount }, NONE, { maxRows: 1 });
    expect(large).toBeInstanceOf(BatchReader);
    large.prefetch(Uint32Array.of(3));
    expect(await nextRows(large)).toEqual([3]);
    expect(() => BatchReader.open(file, NONE, { maxRows: 1, slots: 0 })).toThrow(RangeError);
  });
});

async function drain(reader: BatchSource): Promise<void> {
  for (let request = 0; request < 4; request++) await reader.next();
}
