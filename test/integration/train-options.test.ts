import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { RandomStream } from "../../shared/random/random-stream.js";
import { idxFile } from "../support/idx-file.js";
import { runCommand, runFailingTrain, runTrain, type TrainRun } from "../support/run-command.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { writeBlobs, writeNetwork } from "../support/training-data.js";

const NETWORK = { inputs: 2, hidden: [8], outputs: 3 } as const;
const FAST = { learningrate: 0.5, activationfunction: "tanh", epochs: 10 };

/** Runs a document on data; each run of a folder has an output directory of its own name. */
function run(folder: string, name: string, args: readonly string[]): Promise<TrainRun> {
  return runTrain([...args, "--data-dir", join(folder, "rows"), "--out", join(folder, name)]);
}

function startedOf({ events }: TrainRun) {
  const [started] = events.filter((event) => event.event === "started");
  if (started === undefined) throw new Error("the run has no started event");
  return started;
}

describe("threshold", () => {
  it("ends training after the first epoch whose mean loss is below it, alike on 1 and 3 workers", async () => {
    const folder = await temporaryDirectory();
    const parameters = { ...FAST, epochs: 500, threshold: 0.6, batchsize: 50 };
    const document = await writeNetwork(folder, { ...NETWORK, parameters });
    const args = [document, "--data", await writeBlobs(folder, 203), "--replicas", "3"];
    const ends: unknown[] = [];
    for (const workers of ["1", "3"]) {
      const { finished, epochs, steps } = await run(folder, workers, [...args, "--workers", workers]);
      const losses = epochs.map(({ trainLoss }) => trainLoss);
      expect(finished.epochs).toBeGreaterThan(1);
      expect(finished.epochs).toBeLessThan(500);
      expect(epochs).toHaveLength(finished.epochs);
      // 162 training rows: 4 steps an epoch.
      expect(finished.steps).toBe(4 * finished.epochs);
      expect(steps).toHaveLength(finished.steps);
      expect(losses.slice(0, -1).filter((loss) => loss < 0.6)).toEqual([]);
      expect(losses.at(-1)).toBeLessThan(0.6);
      // The last epoch is always tested.
      expect(epochs.at(-1)?.testAccuracy).not.toBeNull();
      const { weightsSha256, stateSha256, trainLoss, testLoss } = finished;
      ends.push({ epochs: finished.epochs, weightsSha256, stateSha256, trainLoss, testLoss });
    }
    expect(ends[1]).toEqual(ends[0]);
  });
});

describe("test rows", () => {
  it("--evaluate-every 3 of 7 epochs: after the 3rd, the 6th and the last", async () => {
    const folder = await temporaryDirectory();
    const document = await writeNetwork(folder, { ...NETWORK, parameters: FAST });
    const args = [document, "--data", await writeBlobs(folder, 203), "--epochs", "7"];
    const sparse = await run(folder, "sparse", [...args, "--evaluate-every", "3", "--workers", "2"]);
    const tested = sparse.epochs.filter(({ testLoss }) => testLoss !== null).map(({ epoch }) => epoch);
    expect(tested).toEqual([3, 6, 7]);
    // Testing more or less often changes no weight, and no figure.
    const dense = await run(folder, "dense", [...args, "--replicas", "2"]);
    expect(dense.epochs.filter(({ testLoss }) => testLoss === null)).toEqual([]);
    expect(dense.finished.weightsSha256).toBe(sparse.finished.weightsSha256);
    expect(dense.epochs[2]?.testLoss).toBe(sparse.epochs[2]?.testLoss);
  });

  it("--test-data: nothing is split off, and figures are those of that file", async () => {
    const folder = await temporaryDirectory();
    const document = await writeNetwork(folder, { ...NETWORK, parameters: FAST });
    const data = await writeBlobs(folder, 203);
    const lines = (await readFile(data, "utf8")).trimEnd().split("\n");
    const test = join(folder, "test.csv");
    await writeFile(test, `${lines.slice(0, 60).join("\n")}\n`);
    const { epochs, ...rest } = await run(folder, "run", [document, "--data", data, "--test-data", test]);
    expect(startedOf({ epochs, ...rest })).toMatchObject({ trainRows: 203, testRows: 60 });
    const accuracy = epochs.at(-1)?.testAccuracy ?? Number.NaN;
    expect(accuracy * 60).toBeCloseTo(Math.round(accuracy * 60), 9);
    const said = await runCommand(["predict", join(folder, "run"), "--data", test]);
    expect(said.stderr).toContain(`accuracy ${(100 * accuracy).toFixed(2)} %`);
  });

  it("--test-split 0 holds nothing out: no test figures", async () => {
    const folder = await temporaryDirectory();
    const document = await writeNetwork(folder, { ...NETWORK, parameters: FAST });
    const data = await writeBlobs(folder, 203);
    const result = await run(folder, "run", [document, "--data", data, "--test-split", "0"]);
    expect(startedOf(result)).toMatchObject({ trainRows: 203, testRows: 0 });
    expect(result.finished).toMatchObject({ testLoss: null, testAccuracy: null });
  });
});

/** 4 × 4 images whose class is the brightest of the first three rows of pixels. */
function images(count: number, seed: number): { images: Buffer; labels: Buffer } {
  const random = new RandomStream({ seed, purpose: 99 });
  const labels = Array.from({ length: count }, (_, index) => index % 3);
  const pixels = labels.flatMap((label) =>
    Array.from({ length: 16 }, (_, pixel) => random.nextBelow(100) + (Math.floor(pixel / 4) === label ? 120 : 0)),
  );
  return { images: idxFile([count, 4, 4], pixels), labels: idxFile([count], labels) };
}

describe("images", () => {
  it("IDX files, packed or not; --labels and --test-labels where names don't tell", async () => {
    const folder = await temporaryDirectory();
    const file = (name: string): string => join(folder, name);
    const [train, test] = [images(300, 1), images(90, 2)];
    await writeFile(file("pictures"), train.images);
    await writeFile(file("answers.gz"), gzipSync(train.labels));
    await writeFile(file("t10k-images-idx3-ubyte.gz"), gzipSync(test.images));
    await writeFile(file("t10k-labels-idx1-ubyte"), test.labels);
    await writeFile(file("answers-of-the-test"), test.labels);
    const parameters = { ...FAST, batchsize: 20 };
    const document = await writeNetwork(folder, { inputs: 16, hidden: [8], outputs: 3, parameters });

    const args = [
      document,
      "--data",
      file("pictures"),
      "--test-data",
      file("t10k-images-idx3-ubyte.gz"),
      "--replicas",
      "2",
    ];
    const labelled = [...args, "--labels", file("answers.gz")];
    const found = await run(folder, "found", labelled);
    expect(startedOf(found)).toMatchObject({ trainRows: 300, testRows: 90 });
    expect(found.finished.testAccuracy).toBeGreaterThan(0.95);
    const named = await run(folder, "named", [
      ...labelled,
      "--test-labels",
      file("answers-of-the-test"),
      "--workers",
      "2",
    ]);
    expect(named.finished.weightsSha256).toBe(found.finished.weightsSha256);
    expect(named.finished.testLoss).toBe(found.finished.testLoss);

    const { end, failed } = await runFailingTrain([...args, "--data-dir", file("rows"), "--out", file("failed")]);
    expect(end.exitCode).toBe(3);
    expect(failed).toMatchObject({ code: "INPUT_MISSING" });
    expect(failed.message).toContain(file("pictures"));
    expect(failed.message).toContain("--labels PATH");
  });
});

describe("tables", () => {
  it("a header, quoted fields, text labels in the first column: the bits of the plain table", async () => {
    const folder = await temporaryDirectory();
    const plain = await writeBlobs(folder, 203);
    const names = ["anise", 'basil, "sweet"', "chervil"];
    const field = (text: string): string => `"${text.replaceAll('"', '""')}"`;
    const rows = (await readFile(plain, "utf8")).trimEnd().split("\n");
    const lines = rows.map((row) => {
      const [x = "", y = "", label] = row.split(",");
      return [field(names[Number(label)] ?? ""), field(x), y].join(",");
    });
    const table = join(folder, "herbs.csv");
    await writeFile(table, `${["herb,x,y", ...lines].join("\r\n")}\r\n`);

    const numbered = await writeNetwork(folder, { ...NETWORK, parameters: FAST }, "numbered.xml");
    const named = await writeNetwork(folder, { ...NETWORK, parameters: { ...FAST, labelIndex: 0 } }, "named.xml");
    const expected = await run(folder, "plain", [numbered, "--data", plain]);
    const found = await run(folder, "table", [named, "--data", table]);
    expect(found.finished.weightsSha256).toBe(expected.finished.weightsSha256);
    expect(found.finished.testAccuracy).toBe(expected.finished.testAccuracy);

    const { stdout, stderr } = await runCommand(["predict", join(folder, "table"), "--data", table, "--json"]);
    const predicted = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { row: number; class: string; probabilities: Record<string, number> });
    expect(predicted).toHaveLength(203);
    // Line 1 is the header.
    expect(predicted[0]?.row).toBe(2);
    expect(new Set(predicted.map((row) => row.class))).toEqual(new Set(names));
    expect(Object.keys(predicted[0]?.probabilities ?? {})).toEqual(names);
    expect(stderr).toMatch(/203 rows predicted, accuracy \d/);
  });
});

describe("a config file named by the environment", () => {
  it("is the command's alone: its workers, and the processes that try engines, don't read it", async () => {
    const folder = await temporaryDirectory();
    const document = await writeNetwork(folder, { ...NETWORK, parameters: FAST });
    const config = join(folder, "options.json");
    await writeFile(config, JSON.stringify({ workers: 2, epochs: 2, data: await writeBlobs(folder, 203) }));
    const places = ["--data-dir", join(folder, "rows"), "--out", join(folder, "run")];
    const { finished } = await runTrain([document, ...places], { env: { RINGSTRASSE_CONFIG: config } });
    expect(finished).toMatchObject({ workers: 2, epochs: 2 });
  });
});
