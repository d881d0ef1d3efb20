import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { prepareDataset } from "../../../../coordinator/data/prepare-dataset.js";
import {
  loadRowsForPrediction,
  type PredictionBatch,
  type PredictionRequest,
} from "../../../../shared/data/load-rows-for-prediction.js";
import { rowBuffers, rowBuffersSizeBytes } from "../../../../worker/data/row-buffers.js";
import { RowFileReader } from "../../../../worker/data/row-file-reader.js";
import { rowTransform } from "../../../../worker/data/row-transform.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { idxFile } from "../../../support/idx-file.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const BASE: Omit<PredictionRequest, "path"> = {
  labelsPath: null,
  features: 2,
  transform: { kind: "none" },
  targets: { kind: "class", classNames: ["a", "b"] },
  labelColumn: 2,
  batchRows: 2,
};

async function load(
  content: string | Uint8Array,
  changes: Partial<PredictionRequest> = {},
): Promise<PredictionBatch[]> {
  const path = join(await temporaryDirectory(), "data");
  await writeFile(path, content);
  const batches: PredictionBatch[] = [];
  for await (const batch of loadRowsForPrediction({ ...BASE, path, ...changes })) batches.push(batch);
  return batches;
}

describe("loadRowsForPrediction", () => {
  it("takes features alone, in batches, with the lines of the file", async () => {
    const batches = await load("x,y\n1,2\n\n3,4\n5,6\n");
    expect(batches).toEqual([
      { count: 2, rowNumbers: Uint32Array.of(2, 4), x: Float32Array.of(1, 2, 3, 4), targets: null },
      { count: 1, rowNumbers: Uint32Array.of(5), x: Float32Array.of(5, 6), targets: null },
    ]);
    const many = await load("1,2\n".repeat(25_001), { batchRows: 1000 });
    expect(many.map((batch) => batch.count)).toEqual([...new Array<number>(25).fill(1000), 1]);
  });

  it("tells a header by its numbers, and refuses what would shift the columns", async () => {
    const [batch] = await load("0,1,2\n5,6,0.5\n", { features: 3 });
    expect(batch).toMatchObject({ count: 1, rowNumbers: Uint32Array.of(2), x: Float32Array.of(5, 6, 0.5) });

    const targets = { kind: "values" as const, outputs: 1 };
    const index = await failureWithCode("DATA_INVALID", () => load(",a,b\n0,5,6\n1,7,8\n", { targets }));
    expect(index).toMatchObject({ row: 1, column: 0 });
    const names = await failureWithCode("DATA_INVALID", () => load("7,8,y\n1,2,3\n", { targets }));
    expect(names).toMatchObject({ row: 1, column: 2 });
    expect(names.remedy).toContain("header");
  });

  it("refuses features that a header names otherwise than training's did, with or without the label", async () => {
    const trained = { featureNames: ["a", "b"], labelColumn: 0 };
    expect(await load("a,b\n1,2\n", trained)).toHaveLength(1);
    expect(await load("kind,a,b\na,1,2\n", trained)).toHaveLength(1);
    // Without a header, here or in training, nobody knows.
    expect(await load("1,2\n", trained)).toHaveLength(1);
    expect(await load("b,a\n1,2\n")).toHaveLength(1);
    for (const content of ["b,a\n1,2\n", "a,b,kind\na,1,2\n"]) {
      const failure = await failureWithCode("DATA_MISMATCH", () => load(content, trained));
      expect(failure.problem).toMatch(/^feature 1 is named "b", and was "a" in the training data$/);
      expect(failure.remedy).toContain('"a", "b"');
    }
  });

  it("takes labels where they were in training and yields them apart", async () => {
    const [batch] = await load("b,1,2\na,3,4\n", { labelColumn: 0 });
    expect(batch?.targets).toEqual({ kind: "class", classes: Uint32Array.of(1, 0) });
    expect(batch?.x).toEqual(Float32Array.of(1, 2, 3, 4));
    const [last] = await load("1,2,b\n", { labelColumn: null });
    expect(last?.targets).toEqual({ kind: "class", classes: Uint32Array.of(1) });
    const [whole] = await load("1,2,1.000e+00\n", { targets: { kind: "class", classNames: ["1", "2"] } });
    expect(whole?.targets).toEqual({ kind: "class", classes: Uint32Array.of(0) });
    const [earlier] = await load("1,2,1\n", { targets: { kind: "class", classNames: ["1e0", "2e0"] } });
    expect(earlier?.targets).toEqual({ kind: "class", classes: Uint32Array.of(0) });
  });

  it("takes real-valued targets", async () => {
    const [batch] = await load("1,7.5,8,2\n", { targets: { kind: "values", outputs: 2 }, labelColumn: 1 });
    expect(batch?.targets).toEqual({ kind: "values", values: Float32Array.of(7.5, 8) });
    expect(batch?.x).toEqual(Float32Array.of(1, 2));
  });

  it("takes images, with labels found or given, or without", async () => {
    const folder = await temporaryDirectory();
    const path = join(folder, "new-images-idx3-ubyte");
    await writeFile(path, idxFile([3, 1, 2], [0, 255, 51, 102, 153, 204]));
    const request = { ...BASE, path, labelColumn: null, transform: { kind: "scale" as const, divisor: 255 } };
    const collect = async (changes: Partial<PredictionRequest>) => {
      const batches: PredictionBatch[] = [];
      for await (const batch of loadRowsForPrediction({ ...request, ...changes })) batches.push(batch);
      return batches;
    };
    const bare = await collect({});
    expect(bare.map((batch) => batch.count)).toEqual([2, 1]);
    expect(bare[1]).toMatchObject({ rowNumbers: Uint32Array.of(3), targets: null });
    expect(bare[0]?.x).toEqual(Float32Array.of(0, 1, 0.2, 0.4));

    await writeFile(join(folder, "new-labels-idx1-ubyte"), idxFile([3], [4, 9, 4]));
    const named = await collect({ targets: { kind: "class", classNames: ["4", "9"] } });
    const targets = named.map((batch) => (batch.targets?.kind === "class" ? [...batch.targets.classes] : null));
    expect(targets).toEqual([[0, 1], [0]]);
    const unknown = await failureWithCode("DATA_INVALID", () => collect({}));
    expect(unknown).toMatchObject({ file: join(folder, "new-labels-idx1-ubyte"), row: 1 });
    const values = await failureWithCode("DATA_MISMATCH", () => collect({ targets: { kind: "values", outputs: 1 } }));
    expect(values.problem).toContain("real values");
    const size = await failureWithCode("DATA_MISMATCH", () => collect({ features: 3 }));
    expect(size.problem).toContain("2 pixels, the model takes 3");
  });

  it("refuses images of another shape with as many pixels, where the model takes them for images", async () => {
    const images = idxFile([3, 1, 2], [0, 255, 51, 102, 153, 204]);
    const scale = { labelColumn: null, transform: { kind: "scale" as const, divisor: 255 } };
    expect(await load(images, { ...scale, image: [1, 2, 1] })).toHaveLength(2);
    const turned = await failureWithCode("DATA_MISMATCH", () => load(images, { ...scale, image: [2, 1, 1] }));
    expect(turned.problem).toContain("1 × 2, the model takes their pixels for 2 × 1 × 1");
    // A table has no shape.
    expect(await load("1,2\n", { image: [2, 1, 1] })).toHaveLength(1);
  });

  it("yields the bits that training sees", async () => {
    const folder = await temporaryDirectory();
    const path = join(folder, "data.csv");
    const rows = Array.from({ length: 100 }, (_, row) => `${Math.sin(row) * 1e3},${Math.cos(row) / 7},${row % 2}`);
    await writeFile(path, rows.join("\n"));
    const { dataset } = await prepareDataset({
      path,
      labelsPath: null,
      testPath: null,
      testLabelsPath: null,
      features: 2,
      target: { kind: "class", classes: 2 },
      labelIndex: null,
      testSplit: 0,
      seed: 0,
      cacheDirectory: join(folder, "cache"),
      elementPaths: { input: null, output: null, labelIndex: null },
    });
    const { train, transform } = dataset;
    using reader = new RowFileReader(train, await rowTransform(transform, train));
    const trained = rowBuffers(new ArrayBuffer(rowBuffersSizeBytes(train, 100)), train, 100);
    reader.readRows(
      Uint32Array.from({ length: 100 }, (_, row) => row),
      trained,
    );
    const request = { ...BASE, path, transform, targets: { kind: "class" as const, classNames: ["0", "1"] } };
    for await (const batch of loadRowsForPrediction({ ...request, batchRows: 1000 })) {
      expect(Buffer.from(batch.x.buffer).equals(Buffer.from(trained.x.slice().buffer))).toBe(true);
      expect(batch.targets).toEqual({ kind: "class", classes: trained.classes });
    }
  });

  it("names what is wrong and where", async () => {
    const columns = await failureWithCode("DATA_MISMATCH", () => load("1,2,3,4\n"));
    expect(columns.problem).toContain("4 columns, the model takes 2 features");
    expect(columns.remedy).toContain("2 columns, or 3 with the label");
    const semicolons = await failureWithCode("DATA_MISMATCH", () => load("1.5;2.5\n3;4\n"));
    expect(semicolons.remedy).toContain("seems to have semicolons");
    expect(await failureWithCode("DATA_INVALID", () => load("1,2\n3,x\n"))).toMatchObject({ row: 2, column: 1 });
    const label = await failureWithCode("DATA_INVALID", () => load("1,2,a\n3,4,z\n"));
    expect(label).toMatchObject({ row: 2, column: 2 });
    expect(label.problem).toContain('"z"');
    expect((await failureWithCode("DATA_INVALID", () => load("1,2,a\n3,4,\n"))).problem).toContain("empty");
    expect((await failureWithCode("DATA_INVALID", () => load(""))).problem).toContain("empty");
    expect((await failureWithCode("USAGE", () => load("1,2\n", { labelsPath: "x" }))).option).toBe("--labels");
    await failureWithCode("INPUT_MISSING", () => load("1,2\n", { path: "/nowhere" }));
  });
});
