import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FeatureTransform, RowFileSpec } from "../../../../shared/data/dataset-spec.js";
import { featureTransform } from "../../../../shared/data/feature-transform.js";
import { LoadedRows } from "../../../../worker/data/loaded-rows.js";
import { microBatchOf, rowBuffers, rowBuffersSizeBytes } from "../../../../worker/data/row-buffers.js";
import { RowFileReader } from "../../../../worker/data/row-file-reader.js";
import { rowTransform } from "../../../../worker/data/row-transform.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const NONE: FeatureTransform = { kind: "none" };
const UNCHANGED = featureTransform(NONE, 3);

/** Row r holds r·10, r·10 + 1, … (mod 256 for bytes) and the target or class r + 0.5 or r. */
async function rowFile(shape: Omit<RowFileSpec, "path">): Promise<RowFileSpec> {
  const { rowCount, features, featureType, targetType, targets } = shape;
  const pieces: Buffer[] = [];
  for (let row = 0; row < rowCount; row++) {
    const values = Array.from({ length: features }, (_, column) => row * 10 + column);
    pieces.push(featureType === "uint8" ? Buffer.from(values) : Buffer.from(Float32Array.from(values).buffer));
    const target = Buffer.alloc(targets * 4);
    for (let index = 0; index < targets; index++) {
      if (targetType === "class") target.writeUInt32LE(row, index * 4);
      else target.writeFloatLE(row + 0.5 + index, index * 4);
    }
    pieces.push(target);
  }
  const path = join(await temporaryDirectory(), "some.rows");
  await writeFile(path, Buffer.concat(pieces));
  return { path, ...shape };
}

/** What was read of some rows, as {@link RowBuffers} has it. */
interface Rows {
  readonly x: Float32Array;
  readonly classes: Uint32Array | null;
  readonly values: Float32Array | null;
}

type ReadRows = (file: RowFileSpec, rows: readonly number[], transform?: FeatureTransform) => Promise<Rows>;

const readFromFile: ReadRows = async (file, rows, transform = NONE) => {
  using reader = new RowFileReader(file, await rowTransform(transform, file));
  const into = rowBuffers(new SharedArrayBuffer(rowBuffersSizeBytes(file, rows.length)), file, rows.length);
  reader.readRows(Uint32Array.from(rows), into);
  return into;
};

const readLoaded: ReadRows = async (file, rows, transform = NONE) => {
  const loaded = await LoadedRows.load(file, transform, rows.length);
  const { x, targets } = loaded.batch(Uint32Array.from(rows));
  const isClass = targets.kind === "class";
  return { x, classes: isClass ? targets.classes : null, values: isClass ? null : targets.values };
};

const TABLE = { rowCount: 500, features: 3, featureType: "float32", targetType: "class", targets: 1 } as const;

describe.each([
  { read: readFromFile, what: "RowFileReader" },
  { read: readLoaded, what: "LoadedRows" },
])("$what", ({ read }) => {
  it("gives any rows in the order asked for, once or several times", async () => {
    // Rows of 1,604 bytes: some lie near enough to be read at once, others not.
    const file = await rowFile({ ...TABLE, features: 400 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(499), { minLength: 1, maxLength: 40 }), async (rows) => {
        const { x, classes } = await read(file, rows);
        expect([...(classes ?? [])]).toEqual(rows);
        for (const [place, row] of rows.entries()) {
          expect(x[place * 400]).toBe(row * 10);
          expect(x[place * 400 + 399]).toBe(row * 10 + 399);
        }
      }),
      { numRuns: 50 },
    );
  });

  it("reads more than one system call holds", async () => {
    const file = await rowFile({ ...TABLE, features: 1000, rowCount: 700 });
    const rows = Array.from({ length: 700 }, (_, row) => (row * 37) % 700);
    const { x, classes } = await read(file, rows);
    expect([...(classes ?? [])]).toEqual(rows);
    expect(rows.every((row, place) => x[place * 1000 + 999] === row * 10 + 999)).toBe(true);
  });

  it("reads more rows than it sorts at once", async () => {
    const file = await rowFile({ rowCount: 7, features: 1, featureType: "uint8", targetType: "class", targets: 1 });
    const rows = Array.from({ length: 2 ** 20 + 9 }, (_, place) => (place * 5) % 7);
    const { classes } = await read(file, rows);
    expect(Buffer.from(Uint32Array.from(rows).buffer).equals(Buffer.from(Uint32Array.from(classes ?? []).buffer))).toBe(
      true,
    );
  });

  it("reads rows larger than its working memory", async () => {
    const file = await rowFile({ ...TABLE, features: 300_000, rowCount: 3 });
    const { x, classes } = await read(file, [2, 0]);
    expect([...(classes ?? [])]).toEqual([2, 0]);
    expect([x[299_999], x[300_000]]).toEqual([20 + 299_999, 0]);
  });

  it("reads bytes of odd length, whose classes are not aligned", async () => {
    const file = await rowFile({ rowCount: 20, features: 7, featureType: "uint8", targetType: "class", targets: 1 });
    const { x, classes } = await read(file, [3, 19, 0], { kind: "scale", divisor: 255 });
    expect([...(classes ?? [])]).toEqual([3, 19, 0]);
    const expected = [30, 190, 0].flatMap((first) =>
      [0, 1, 2, 3, 4, 5, 6].map((more) => Math.fround((first + more) / 255)),
    );
    expect([...x]).toEqual(expected);
  });

  it("reads several real-valued targets and standardises", async () => {
    const file = await rowFile({ rowCount: 5, features: 2, featureType: "float32", targetType: "float32", targets: 2 });
    const transform: FeatureTransform = { kind: "standardise", mean: [10, 11], deviation: [10, 5] };
    const { x, classes, values } = await read(file, [4, 1], transform);
    expect(classes).toBeNull();
    expect([...(values ?? [])]).toEqual([4.5, 5.5, 1.5, 2.5]);
    expect([...x]).toEqual([3, 6, 0, 0]);
  });

  it("names a row that does not exist", async () => {
    const file = await rowFile({ ...TABLE, rowCount: 5 });
    const failure = await failureWithCode("DATA_INVALID", () => read(file, [4, 5]));
    expect(failure).toMatchObject({ file: file.path, row: 6 });
    expect(failure.problem).toContain("row number 5 (from 0) was asked for, the file has 5");
  });

  it("refuses a file of another size than described", async () => {
    const file = await rowFile({ ...TABLE, rowCount: 5 });
    const other = await failureWithCode("DATA_INVALID", () => read({ ...file, rowCount: 6 }, [0]));
    expect(other.problem).toContain("80 bytes, expected 96");
  });

  it("says which file is missing and where it must be", async () => {
    const file = { path: "/nowhere/train.rows", ...TABLE };
    const failure = await failureWithCode("INPUT_MISSING", () => read(file, [0]));
    expect(failure.file).toBe("/nowhere/train.rows");
    expect(failure.remedy).toContain("data directory");
  });
});

describe("RowFileReader", () => {
  it("refuses more rows than there is room for", async () => {
    const file = await rowFile({ ...TABLE, rowCount: 5 });
    using reader = new RowFileReader(file, UNCHANGED);
    const into = rowBuffers(new ArrayBuffer(rowBuffersSizeBytes(file, 1)), file, 1);
    expect(() => reader.readRows(Uint32Array.of(1, 2), into)).toThrow(RangeError);
  });

  it("refuses a file that gets shorter", async () => {
    const file = await rowFile({ ...TABLE, rowCount: 5 });
    using reader = new RowFileReader(file, UNCHANGED);
    await truncate(file.path, 40);
    const into = rowBuffers(new ArrayBuffer(rowBuffersSizeBytes(file, 1)), file, 1);
    reader.readRows(Uint32Array.of(1), into);
    const shorter = await failureWithCode("DATA_INVALID", () => reader.readRows(Uint32Array.of(3), into));
    expect(shorter.problem).toContain("has become shorter");
    expect(shorter.remedy).toContain("prepared anew");
  });
});

describe("LoadedRows", () => {
  it("gives batches of any size one after the other, whole at the end of the memory too", async () => {
    const file = await rowFile({ rowCount: 20, features: 7, featureType: "uint8", targetType: "class", targets: 1 });
    const loaded = await LoadedRows.load(file, { kind: "scale", divisor: 2 }, 4);
    for (const rows of [[7, 8, 19, 9], [19], [8, 8, 0]]) {
      const { x, count, targets } = loaded.batch(Uint32Array.from(rows));
      expect(count).toBe(rows.length);
      expect(targets).toMatchObject({ kind: "class", classes: Uint32Array.from(rows) });
      expect([...x]).toEqual(rows.flatMap((row) => [0, 1, 2, 3, 4, 5, 6].map((more) => ((row * 10 + more) % 256) / 2)));
    }
    expect(() => loaded.batch(Uint32Array.of(1, 2, 3, 4, 5))).toThrow(RangeError);
    expect(() => loaded.batch(new Uint32Array())).toThrow(RangeError);
  });
});

describe("microBatchOf", () => {
  it("has at least one row", async () => {
    const file = await rowFile({ rowCount: 5, features: 2, featureType: "float32", targetType: "float32", targets: 2 });
    const buffers = rowBuffers(new ArrayBuffer(rowBuffersSizeBytes(file, 2)), file, 2);
    expect(microBatchOf(buffers, file, 1)).toMatchObject({ count: 1, targets: { kind: "values" } });
    expect(microBatchOf(buffers, file, 1).x).toHaveLength(2);
    expect(() => microBatchOf(buffers, file, 0)).toThrow(RangeError);
  });
});
