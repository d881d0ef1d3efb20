import { readFileSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type PrepareRequest, prepareDataset } from "../../../../coordinator/data/prepare-dataset.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { idxFile } from "../../../support/idx-file.js";
import { readRowFile } from "../../../support/read-row-file.js";
import { realData } from "../../../support/real-data.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const IRIS = fileURLToPath(new URL("../../../../examples/iris/iris.csv", import.meta.url));
const elementPaths = {
  input: "/definition/input/size",
  output: "/definition/output/size",
  labelIndex: "/definition/labelIndex",
};

async function request(path: string, changes: Partial<PrepareRequest> = {}): Promise<PrepareRequest> {
  return {
    path,
    labelsPath: null,
    testPath: null,
    testLabelsPath: null,
    features: 2,
    target: { kind: "class", classes: 2 },
    labelIndex: null,
    testSplit: 0,
    seed: 6,
    cacheDirectory: await temporaryDirectory(),
    elementPaths,
    ...changes,
  };
}

async function save(content: string | Uint8Array, name = "data.csv"): Promise<string> {
  const path = join(await temporaryDirectory(), name);
  await writeFile(path, content);
  return path;
}

async function prepare(content: string, changes: Partial<PrepareRequest> = {}) {
  return prepareDataset(await request(await save(content), changes));
}

describe("prepareDataset: tables", () => {
  it("writes rows in file order, classes by number, figures of the training rows", async () => {
    const { dataset, labelColumn, warnings } = await prepare("a,b,kind\n1,10,no\n2,10,yes\n3,10,no\n");
    expect(dataset.classNames).toEqual(["no", "yes"]);
    expect(labelColumn).toBe(2);
    expect(warnings).toEqual([]);
    expect(dataset.test).toBeNull();
    expect(dataset.train).toMatchObject({
      rowCount: 3,
      features: 2,
      featureType: "float32",
      targetType: "class",
      targets: 1,
    });
    expect(readRowFile(dataset.train)).toEqual([
      { features: [1, 10], targets: [0] },
      { features: [2, 10], targets: [1] },
      { features: [3, 10], targets: [0] },
    ]);
    expect(dataset.transform).toEqual({ kind: "standardise", mean: [2, 10], deviation: [Math.sqrt(2 / 3), 1] });
  });

  it("takes any label column, and sorts whole numbers by value, other labels by their characters", async () => {
    const numbers = await prepare("10,1,2\n9,3,4\n+9.0,5,6\n010,7,8\n", { labelIndex: 0 });
    expect(numbers.dataset.classNames).toEqual(["9", "10"]);
    expect(readRowFile(numbers.dataset.train)).toEqual([
      { features: [1, 2], targets: [1] },
      { features: [3, 4], targets: [0] },
      { features: [5, 6], targets: [0] },
      { features: [7, 8], targets: [1] },
    ]);
    const middle = await prepare('1,b,2\n3,B,4\n5,"10",6\n', { labelIndex: 1, target: { kind: "class", classes: 3 } });
    expect(middle.dataset.classNames).toEqual(["10", "B", "b"]);
    expect(readRowFile(middle.dataset.train).map((row) => row.targets[0])).toEqual([2, 1, 0]);
  });

  it("takes the labels that numpy writes for the whole numbers that they are", async () => {
    const folder = await temporaryDirectory();
    const testPath = join(folder, "test.csv");
    await writeFile(testPath, "1,1,1\n2,2,10.0\n");
    const label = (name: number) => `${name.toExponential(18).replace(/e\+(\d)$/, "e+0$1")}`;
    const { dataset } = await prepare(`1,1,${label(1)}\n2,2,${label(2)}\n3,3,${label(10)}\n`, {
      target: { kind: "class", classes: 3 },
      testPath,
    });
    expect(dataset.classNames).toEqual(["1", "2", "10"]);
  });

  it("says when numbers were taken for a header's names", async () => {
    const target = { kind: "values" as const, outputs: 1 };
    const { dataset, featureNames, warnings } = await prepare("0,1,2\n5.5,6,7\n8,9,10\n", { target });
    expect(featureNames).toBeNull();
    expect(dataset.train.rowCount).toBe(2);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^The first line of data.csv \(0,1,2\) was taken for a header/);
  });

  it("keeps what the header calls the features, and refuses test data whose header names them otherwise", async () => {
    const table = "kind,a,b\nx,1,2\ny,3,4\n";
    const testPath = join(await temporaryDirectory(), "test.csv");
    const withTest = async (content: string) => {
      await writeFile(testPath, content);
      return prepare(table, { labelIndex: 0, testPath });
    };
    expect((await withTest("class,a,b\nx,5,6\n")).featureNames).toEqual(["a", "b"]);
    expect((await withTest("x,5,6\n")).featureNames).toEqual(["a", "b"]);
    expect((await prepare("1,2,x\n3,4,y\n")).featureNames).toBeNull();
    const failure = await failureWithCode("DATA_MISMATCH", () => withTest("kind,b,a\nx,5,6\n"));
    expect(failure).toMatchObject({ file: testPath });
    expect(failure.problem).toContain('feature 1 is named "b"');
  });

  it("takes several real-valued targets, at the end or anywhere", async () => {
    const target = { kind: "values" as const, outputs: 2 };
    const last = await prepare("1,2,3.5,4\n5,6,7,8\n", { target });
    expect(last.labelColumn).toBe(2);
    expect(last.dataset.classNames).toBeNull();
    expect(last.dataset.train).toMatchObject({ targetType: "float32", targets: 2 });
    expect(readRowFile(last.dataset.train)[0]).toEqual({ features: [1, 2], targets: [3.5, 4] });
    const middle = await prepare("1,2,3.5,4\n5,6,7,8\n", { target, labelIndex: 1 });
    expect(readRowFile(middle.dataset.train)[1]).toEqual({ features: [5, 8], targets: [6, 7] });
  });

  it("splits iris as published: 97 and 53 rows, stratified, disjoint, in file order", async () => {
    const { dataset } = await prepareDataset(
      await request(IRIS, { features: 4, target: { kind: "class", classes: 3 }, labelIndex: 4, testSplit: 0.35 }),
    );
    if (dataset.test === null) throw new Error("nothing was held out");
    const [train, test] = [readRowFile(dataset.train), readRowFile(dataset.test)];
    expect([train.length, test.length]).toEqual([97, 53]);
    const perClass = [0, 1, 2].map((label) => test.filter((row) => row.targets[0] === label).length);
    expect(perClass).toEqual([18, 18, 17]);
    const key = (row: { features: number[]; targets: number[] }) => [...row.features, ...row.targets].join();
    const lines = readFileSync(IRIS, "utf8").trim().split("\n");
    const source = lines.map((line) =>
      line
        .split(",")
        .map((field) => Math.fround(Number(field)))
        .join(),
    );
    expect([...train, ...test].map(key).sort()).toEqual([...source].sort());
    for (const part of [train, test]) {
      let at = -1;
      for (const row of part) {
        at = source.indexOf(key(row), at + 1);
        expect(at).not.toBe(-1);
      }
    }
    const means = [0, 1, 2, 3].map((column) => train.reduce((sum, row) => sum + row.features[column]!, 0) / 97);
    if (dataset.transform.kind !== "standardise") throw new Error("tables are standardised");
    for (const [column, mean] of means.entries()) expect(dataset.transform.mean[column]).toBeCloseTo(mean, 10);
  });

  it("reads test data of its own with the classes of the training data, and then splits nothing off", async () => {
    const testPath = await save("x,y,kind\n9,9,b\n8,8,a\n", "test.csv");
    const { dataset } = await prepare("1,1,a\n2,2,b\n3,3,a\n4,4,b\n", { testPath, testSplit: 0.5 });
    expect(dataset.train.rowCount).toBe(4);
    if (dataset.test === null) throw new Error("no test rows");
    expect(readRowFile(dataset.test)).toEqual([
      { features: [9, 9], targets: [1] },
      { features: [8, 8], targets: [0] },
    ]);
    expect(dataset.transform).toMatchObject({ mean: [2.5, 2.5] });
  });

  const wines = realData("wines.csv");
  it.skipIf(wines === null)(
    "takes 60,000 rows with the label in column 0 (needs ../shared/data/wines.csv)",
    async () => {
      const { dataset } = await prepareDataset(await request(wines ?? "", { labelIndex: 0, testSplit: 0.2 }));
      expect([dataset.train.rowCount, dataset.test?.rowCount]).toEqual([48_000, 12_000]);
      expect(dataset.classNames).toEqual(["0", "1"]);
    },
  );
});

describe("prepareDataset: IDX", () => {
  async function saveImages(labels: readonly number[], name = "train", shape = [2, 2]): Promise<string> {
    const folder = await temporaryDirectory();
    const size = shape.reduce((product, side) => product * side, 1);
    const pixels = Array.from({ length: labels.length * size }, (_, index) => index % 251);
    await writeFile(join(folder, `${name}-images-idx3-ubyte`), idxFile([labels.length, ...shape], pixels));
    await writeFile(join(folder, `${name}-labels-idx1-ubyte`), idxFile([labels.length], labels));
    return join(folder, `${name}-images-idx3-ubyte`);
  }

  it("keeps bytes, divides by 255, numbers the labels", async () => {
    const path = await saveImages([7, 3, 7]);
    const { dataset, labelColumn } = await prepareDataset(await request(path, { features: 4 }));
    expect(dataset.transform).toEqual({ kind: "scale", divisor: 255 });
    expect(dataset.classNames).toEqual(["3", "7"]);
    expect(labelColumn).toBeNull();
    expect(dataset.train).toMatchObject({ featureType: "uint8", rowCount: 3, features: 4 });
    expect(readRowFile(dataset.train)).toEqual([
      { features: [0, 1, 2, 3], targets: [1] },
      { features: [4, 5, 6, 7], targets: [0] },
      { features: [8, 9, 10, 11], targets: [1] },
    ]);
  });

  it("splits, and takes test images of their own", async () => {
    const path = await saveImages([0, 1, 0, 1, 0, 1]);
    const split = await prepareDataset(await request(path, { features: 4, testSplit: 0.34 }));
    expect([split.dataset.train.rowCount, split.dataset.test?.rowCount]).toEqual([4, 2]);
    const testPath = await saveImages([1, 1, 0], "t10k");
    const given = await prepareDataset(await request(path, { features: 4, testSplit: 0.34, testPath }));
    expect([given.dataset.train.rowCount, given.dataset.test?.rowCount]).toEqual([6, 3]);
    if (given.dataset.test === null) throw new Error("no test rows");
    expect(readRowFile(given.dataset.test).map((row) => row.targets[0])).toEqual([1, 1, 0]);
  });

  it("names what does not fit the network", async () => {
    const path = await saveImages([0, 1, 2]);
    const size = await failureWithCode("DATA_MISMATCH", async () =>
      prepareDataset(await request(path, { features: 784 })),
    );
    expect(size).toMatchObject({ file: path, elementPath: elementPaths.input });
    expect(size.problem).toMatch(/4 pixels \(2 × 2\).*784/);
    const count = await failureWithCode("DATA_MISMATCH", async () =>
      prepareDataset(await request(path, { features: 4 })),
    );
    expect(count.elementPath).toBe(elementPaths.output);
    const values = await failureWithCode("DATA_MISMATCH", async () =>
      prepareDataset(await request(path, { features: 4, target: { kind: "values", outputs: 1 } })),
    );
    expect(values.problem).toContain("classes");
  });

  it("refuses images of another height and width than a network of images takes, also once they are prepared", async () => {
    const path = await saveImages([0, 1, 0], "train", [2, 8]);
    const fitting = await request(path, { features: 16 });
    for (const image of [undefined, [2, 8, 1]] as const) {
      expect((await prepareDataset({ ...fitting, image })).dataset.train).toMatchObject({ rowCount: 3, features: 16 });
    }
    const failure = await failureWithCode("DATA_MISMATCH", () => prepareDataset({ ...fitting, image: [4, 4, 1] }));
    expect(failure).toMatchObject({ file: path, elementPath: elementPaths.input });
    expect(failure.problem).toContain("2 × 8, the network takes their pixels for 4 × 4 × 1");
    expect(failure.remedy).toContain("2x8x1");
  });

  it("names the test image whose label is unknown", async () => {
    const path = await saveImages([0, 1]);
    const testPath = await saveImages([1, 0, 5], "t10k");
    const failure = await failureWithCode("DATA_INVALID", async () =>
      prepareDataset(await request(path, { features: 4, testPath })),
    );
    expect(failure).toMatchObject({ file: testPath.replace("images-idx3", "labels-idx1"), row: 3 });
    expect(failure.problem).toContain('"5"');
  });

  const mnist = realData("mnist/train10k-images-idx3-ubyte.gz");
  it.skipIf(mnist === null)("reads MNIST (needs ../shared/data/mnist)", async () => {
    const { dataset } = await prepareDataset(
      await request(mnist ?? "", {
        features: 784,
        target: { kind: "class", classes: 10 },
        testPath: realData("mnist/t10k-images-idx3-ubyte.gz"),
      }),
    );
    expect([dataset.train.rowCount, dataset.test?.rowCount]).toEqual([10_000, 10_000]);
    expect(dataset.classNames).toEqual(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
  });
});

describe("prepareDataset: bad input", () => {
  const mismatch = (content: string, changes: Partial<PrepareRequest>) =>
    failureWithCode("DATA_MISMATCH", () => prepare(content, changes));
  const invalid = (content: string, changes: Partial<PrepareRequest> = {}) =>
    failureWithCode("DATA_INVALID", () => prepare(content, changes));

  it.each<[code: "DATA_MISMATCH" | "DATA_INVALID", text: string, separators: string, features?: number]>([
    ["DATA_MISMATCH", "1.5;2;a\n2.5;3;b\n", "semicolons"],
    ["DATA_MISMATCH", "1.5\t2\ta\n2.5\t3\tb\n", "tabs"],
    ["DATA_MISMATCH", "1,5;2,5;a\n2,5;3,5;b\n", "semicolons", 5],
    ["DATA_INVALID", "1,5;2,5;a\n2,5;3,5;b\n", "semicolons"],
    ["DATA_INVALID", "1,5;2,5;a\n2;3,5;b\n", "semicolons"],
    ["DATA_INVALID", "x;y;kind\n1,5;2,5;a\n", "semicolons"],
  ])("%s: %j was written with other separators, and is told so", async (code, text, separators, features = 2) => {
    const failure = await failureWithCode(code, () => prepare(text, { features }));
    expect(failure.remedy).toContain(`this file seems to have ${separators}`);
  });

  it("a label that holds a semicolon is no hint at another separator", async () => {
    const failure = await failureWithCode("DATA_INVALID", () => prepare("1,2,a;b\n1,2,3,a;b\n"));
    expect(failure.remedy).toContain("the same number of fields");
  });

  it("label column out of range: names the element and the columns there are", async () => {
    const failure = await mismatch("1,2,a\n3,4,b\n", { labelIndex: 3 });
    expect(failure.elementPath).toBe(elementPaths.labelIndex);
    expect(failure.problem).toContain("label column 3 is out of range: the file has columns 0 to 2");
    expect(failure.remedy).toContain("0 to 2");
    const several = await mismatch("1,2,3,4\n", { labelIndex: 3, target: { kind: "values", outputs: 2 } });
    expect(several.remedy).toContain("0 to 2");
  });

  it("another number of features: names the input element and both numbers", async () => {
    const failure = await mismatch("1,2,a\n3,4,b\n", { features: 5 });
    expect(failure.elementPath).toBe(elementPaths.input);
    expect(failure.problem).toMatch(/2 feature columns.*takes 5/);
    expect(failure.remedy).not.toContain("labelIndex");
    expect((await mismatch("1,2,a\n3,4,b\n", { features: 1 })).remedy).toContain("labelIndex");
    expect((await mismatch("1,2,3\n3,4,5\n", { features: 3 })).remedy).toContain("lacks its label column");
    expect((await mismatch("1\n2\n", { features: 1 })).problem).toContain("1 column");
  });

  it("output size ≠ number of classes: names the output element, the count and some labels", async () => {
    const failure = await mismatch("1,2,a\n3,4,b\n5,6,c\n", {});
    expect(failure.elementPath).toBe(elementPaths.output);
    expect(failure.problem).toContain('3 classes ("a", "b", "c")');
    expect(failure.problem).toContain("stands for 2");
    expect(failure.remedy).toContain("3 units");
    expect((await mismatch("1,2,a\n3,4,a\n", {})).problem).toContain("1 class ");
  });

  it("a header whose numbers look like a row: says to remove it", async () => {
    const classes = await mismatch("1,2,label\n3,4,a\n5,6,b\n7,8,a\n", {});
    expect(classes.problem).toContain('3 classes ("a", "b", "label")');
    expect(classes.remedy).toMatch(/^If the first line is a header .* remove it: no other row has its label "label"/);
    const target = { kind: "values" as const, outputs: 1 };
    const text = await invalid("1,2,label\n3,4,5\n", { target });
    expect(text).toMatchObject({ row: 1, column: 2 });
    expect(text.remedy).toMatch(/^If the line is a header .* remove it/);
    // One class too many, but the first row is not alone with its own.
    expect((await mismatch("1,2,a\n3,4,b\n5,6,c\n7,8,a\n", {})).remedy).toMatch(/^Make the output block 3/);
  });

  it("measurements taken for labels: stops reading", async () => {
    const rows = Array.from({ length: 100_010 }, (_, row) => `1,2,${row}.5`).join("\n");
    const failure = await mismatch(rows, {});
    expect(failure.elementPath).toBe(elementPaths.output);
    expect(failure.problem).toContain("more than 100000 different values");
    expect(failure.remedy).toContain("labelIndex");
  });

  it("ragged row, text for a number, empty field and label: names row and column", async () => {
    expect(await invalid("1,2,a\n3,4\n")).toMatchObject({ row: 2, column: 2 });
    expect(await invalid("1,2,a\n3,four,b\n")).toMatchObject({ row: 2, column: 1 });
    expect(await invalid("1,2,a\n,4,b\n")).toMatchObject({ row: 2, column: 0 });
    expect(await invalid("1,2,a\n3,4,\n")).toMatchObject({ row: 2, column: 2 });
    expect(await invalid("1,2,3\n1,2,x\n", { target: { kind: "values", outputs: 1 } })).toMatchObject({
      row: 2,
      column: 2,
    });
  });

  it("faults are told in the order of the file", async () => {
    expect(await invalid("1,2,a\n3,x,b\n1,2\n")).toMatchObject({ row: 2, column: 1 });
    expect(await invalid('1,2,a\n1,2\n1,"2"x,a\n')).toMatchObject({ row: 2 });
  });

  it("empty and missing files, test data too", async () => {
    expect((await invalid("")).problem).toContain("empty");
    const missing = await failureWithCode("INPUT_MISSING", async () => prepareDataset(await request("/nowhere.csv")));
    expect(missing.file).toBe("/nowhere.csv");
    const test = await failureWithCode("INPUT_MISSING", () => prepare("1,2,a\n3,4,b\n", { testPath: "/nowhere.csv" }));
    expect(test.file).toBe("/nowhere.csv");
  });

  it("a label in the test data that training does not know: names file, row and column", async () => {
    const testPath = await save("1,2,a\n3,4,c\n", "test.csv");
    const failure = await invalid("1,2,a\n3,4,b\n", { testPath });
    expect(failure).toMatchObject({ file: testPath, row: 2, column: 2 });
    expect(failure.problem).toContain('"c"');
  });

  it("test data of another shape or format", async () => {
    const wide = await save("1,2,3,a\n", "test.csv");
    expect((await mismatch("1,2,a\n3,4,b\n", { testPath: wide })).file).toBe(wide);
    const images = await save(idxFile([1, 2, 2], [1, 2, 3, 4]), "images");
    const failure = await mismatch("1,2,a\n3,4,b\n", { testPath: images });
    expect(failure).toMatchObject({ file: images });
    expect(failure.problem).toContain("IDX images");
  });

  it("a labels file beside a table", async () => {
    const failure = await failureWithCode("USAGE", () => prepare("1,2,a\n", { labelsPath: "labels" }));
    expect(failure.option).toBe("--labels");
  });

  it("too few rows: an error when none is left to train on, a warning when none is held out", async () => {
    const target = { kind: "values" as const, outputs: 1 };
    const failure = await invalid("1,2,3\n", { target, testSplit: 0.9 });
    expect(failure.problem).toContain("none would be left");
    const { dataset, warnings } = await prepare("1,2,3\n4,5,6\n", { target, testSplit: 0.2 });
    expect(dataset.test).toBeNull();
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("nothing is held out");
  });

  it("leaves nothing behind", async () => {
    const cacheDirectory = await temporaryDirectory();
    await invalid("1,2,a\n3,x,b\n", { cacheDirectory });
    expect(await readdir(cacheDirectory)).toEqual([]);
    const abort = AbortSignal.abort(new Error("enough"));
    await expect(prepare("1,2,a\n3,4,b\n", { cacheDirectory, signal: abort })).rejects.toThrow("enough");
    expect(await readdir(cacheDirectory)).toEqual([]);
  });

  it("an unwritable cache directory", async () => {
    const file = await save("in the way", "file");
    const failure = await failureWithCode("OUTPUT_UNWRITABLE", () =>
      prepare("1,2,a\n3,4,b\n", { cacheDirectory: join(file, "cache") }),
    );
    expect(failure.path).toBe(join(file, "cache"));
  });
});

describe("prepareDataset: packed files", () => {
  it("unpacks no more than it was allowed to", async () => {
    const text = "1,2,a\n3,4,b\n".repeat(1000);
    const path = join(await temporaryDirectory(), "rows.csv.gz");
    await writeFile(path, gzipSync(text));
    const failure = await failureWithCode("DATA_INVALID", async () =>
      prepareDataset(await request(path, { maxUnpackedBytes: text.length - 1 })),
    );
    expect(failure.file).toBe(path);
    expect(failure.problem).toBe(`unpacked it has more than the ${text.length - 1} bytes that one file may have here`);
    expect(failure.remedy).toContain("--max-file");
    expect((await prepareDataset(await request(path, { maxUnpackedBytes: text.length }))).cached).toBe(false);
    // What is not packed has its own limits.
    expect((await prepare(text, { maxUnpackedBytes: 10 })).cached).toBe(false);
  });
});

describe("prepareDataset: cache", () => {
  const TABLE = "1,2,a\n3,4,b\n5,6,a\n7,8,b\n";

  it("prepares once, and again for other contents, split or seed", async () => {
    const cacheDirectory = await temporaryDirectory();
    const changes = { cacheDirectory, testSplit: 0.5 };
    const first = await prepare(TABLE, changes);
    expect(first.cached).toBe(false);
    const second = await prepare(TABLE, changes);
    expect(second).toEqual({ ...first, cached: true });
    expect((await prepare(`${TABLE}9,9,a\n`, changes)).cached).toBe(false);
    expect((await prepare(TABLE, { ...changes, seed: 7 })).cached).toBe(false);
    expect((await prepare(TABLE, { ...changes, testSplit: 0.25 })).cached).toBe(false);
    expect((await prepare(TABLE, { ...changes, labelIndex: 2 })).dataset.train.rowCount).toBe(2);
    expect((await readdir(cacheDirectory)).every((name) => /^[0-9a-f]{64}$/.test(name))).toBe(true);
  });

  it("survives two preparations at once", async () => {
    const path = await save(TABLE.repeat(2000));
    const shared = await request(path, { testSplit: 0.5 });
    const results = await Promise.all([1, 2, 3, 4].map(() => prepareDataset(shared)));
    for (const result of results) {
      expect(result.dataset).toEqual(results[0]?.dataset);
      expect(readRowFile(result.dataset.train)).toHaveLength(4000);
    }
    expect(await readdir(shared.cacheDirectory)).toHaveLength(1);
  });

  async function damaged(damage: (folder: string) => Promise<unknown>): Promise<readonly string[]> {
    const cacheDirectory = await temporaryDirectory();
    const first = await prepare(TABLE, { cacheDirectory, testSplit: 0.5 });
    const good = await readFile(first.dataset.train.path);
    const [key = ""] = await readdir(cacheDirectory);
    await damage(join(cacheDirectory, key));
    const second = await prepare(TABLE, { cacheDirectory, testSplit: 0.5 });
    expect(second.cached).toBe(false);
    expect(second.dataset).toEqual(first.dataset);
    expect(await readFile(second.dataset.train.path)).toEqual(good);
    expect(await readdir(cacheDirectory)).toEqual([key]);
    expect((await prepare(TABLE, { cacheDirectory, testSplit: 0.5 })).cached).toBe(true);
    return second.warnings;
  }

  it("prepares anew what was cut off, changed, or left without its description, and says so", async () => {
    const cut = await damaged((folder) => writeFile(join(folder, "train.rows"), "short"));
    expect(cut.join()).toMatch(/damaged.*5 bytes/);
    const flipped = await damaged(async (folder) => {
      const bytes = await readFile(join(folder, "test.rows"));
      bytes[3]! ^= 1;
      await writeFile(join(folder, "test.rows"), bytes);
    });
    expect(flipped.join()).toContain("checksum");
    const description = await damaged(async (folder) => {
      const path = join(folder, "dataset.json");
      await writeFile(path, (await readFile(path, "utf8")).replace('"b"', '"c"'));
    });
    expect(description.join()).toContain("checksum");
    const noJson = await damaged((folder) => writeFile(join(folder, "dataset.json"), "{"));
    expect(noJson.join()).toContain("no description");
    const { rm } = await import("node:fs/promises");
    expect((await damaged((folder) => rm(join(folder, "dataset.json")))).join()).toContain("missing");
    expect((await damaged((folder) => rm(join(folder, "train.rows")))).join()).toContain("no bytes");
  });

  it("takes no unfinished folder for an entry, and removes it when it is old", async () => {
    const cacheDirectory = await temporaryDirectory();
    const first = await prepare(TABLE, { cacheDirectory });
    const { rename, utimes, mkdir } = await import("node:fs/promises");
    const [key = ""] = await readdir(cacheDirectory);
    const old = `.${key}.unfinished-0123456789ab`;
    const young = `.${key}.unfinished-ba9876543210`;
    await rename(join(cacheDirectory, key), join(cacheDirectory, old));
    await utimes(join(cacheDirectory, old), 0, 0);
    await mkdir(join(cacheDirectory, young));
    const second = await prepare(TABLE, { cacheDirectory });
    expect(second.cached).toBe(false);
    expect(second.dataset).toEqual(first.dataset);
    expect((await readdir(cacheDirectory)).sort()).toEqual([young, key].sort());
  });
});
