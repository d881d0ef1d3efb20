import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { METRICS_COLUMNS, MetricsCsv } from "../../../../coordinator/output/metrics-csv.js";
import { RunResultSchema, writeResult } from "../../../../coordinator/output/write-result.js";
import { failureOf } from "../../../support/failure-of.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { epochEvent, finishedEvent } from "../../../support/train-events.js";

const RESULT = {
  finished: finishedEvent(),
  history: [epochEvent(1), epochEvent(2), epochEvent(3)],
  configuration: { seed: 6, data: "iris.csv", workers: 2, testData: null },
};

describe("writeResult", () => {
  it("writes the finished line, the history and the configuration, and nothing beside them", async () => {
    const directory = await temporaryDirectory();
    await writeResult(join(directory, "result.json"), RESULT);
    expect(await readdir(directory)).toEqual(["result.json"]);
    const result = RunResultSchema.parse(JSON.parse(await readFile(join(directory, "result.json"), "utf8")));
    const { event: _event, ...figures } = RESULT.finished;
    expect(result).toMatchObject(figures);
    expect(result.history.map(({ epoch, trainLoss }) => [epoch, trainLoss])).toEqual([
      [1, 1],
      [2, 0.5],
      [3, 1 / 3],
    ]);
    expect(result.configuration).toEqual(RESULT.configuration);
  });

  it("replaces an earlier one", async () => {
    const file = join(await temporaryDirectory(), "result.json");
    await writeResult(file, RESULT);
    await writeResult(file, { ...RESULT, finished: finishedEvent({ steps: 7 }) });
    expect(RunResultSchema.parse(JSON.parse(await readFile(file, "utf8"))).steps).toBe(7);
  });

  it("names the path when it can't be written, and leaves nothing behind", async () => {
    const directory = await temporaryDirectory();
    const file = join(directory, "result.json");
    await mkdir(file);
    const failure = await failureOf(() => writeResult(file, RESULT));
    expect(failure).toMatchObject({ code: "OUTPUT_UNWRITABLE", path: file });
    expect(failure.message).toContain("a directory is in the way");
    expect(await readdir(directory)).toEqual(["result.json"]);
  });
});

describe("MetricsCsv", () => {
  it("writes a header and one row per epoch, what was not measured empty", async () => {
    const file = join(await temporaryDirectory(), "metrics.csv");
    const csv = await MetricsCsv.create(file);
    await csv.append(epochEvent(1, { testLoss: null, testAccuracy: null }));
    await Promise.all([
      csv.append(epochEvent(2, { learningRate: 0.1, gradientNorm: 2.5 })),
      csv.append(
        epochEvent(3, { trainAccuracy: null, trainMeanAbsoluteError: 0.2, learningRate: 0.05, skippedSteps: 7 }),
      ),
      csv.append(epochEvent(4, { learningRate: 0.1, meanStaleness: 1.5, maxStaleness: 3, maxStepsAhead: 2 })),
    ]);
    await csv[Symbol.asyncDispose]();
    expect(await readFile(file, "utf8")).toBe(
      `${METRICS_COLUMNS.join(",")}\n` +
        "1,2,1,0.75,,,,,12345.6,0.125,1000,,,,,,\n" +
        "2,4,0.5,0.75,,0.625,0.5,,12345.6,0.125,2000,0.1,2.5,,,,\n" +
        "3,6,0.3333333333333333,,0.2,0.625,0.5,,12345.6,0.125,3000,0.05,,7,,,\n" +
        "4,8,0.25,0.75,,0.625,0.5,,12345.6,0.125,4000,0.1,,,1.5,3,2\n",
    );
  });

  it("has whole lines on disk after each epoch", async () => {
    const file = join(await temporaryDirectory(), "metrics.csv");
    await using csv = await MetricsCsv.create(file);
    await csv.append(epochEvent(1));
    expect((await readFile(file, "utf8")).split("\n")).toHaveLength(3);
  });

  it("starts anew where a file is, and names a path that can't be written", async () => {
    const directory = await temporaryDirectory();
    const file = join(directory, "metrics.csv");
    for (const epoch of [1, 2]) {
      await using csv = await MetricsCsv.create(file);
      await csv.append(epochEvent(epoch));
    }
    expect((await readFile(file, "utf8")).trimEnd().split("\n")[1]).toMatch(/^2,/);
    const path = join(file, "metrics.csv");
    expect(await failureOf(() => MetricsCsv.create(path))).toMatchObject({ code: "OUTPUT_UNWRITABLE", path });
    expect(await failureOf(() => MetricsCsv.create("/dev/full/x"))).toMatchObject({ code: "OUTPUT_UNWRITABLE" });
  });

  it("says so when the disk is full", async () => {
    const failure = await failureOf(() => MetricsCsv.create("/dev/full"));
    expect(failure).toMatchObject({ code: "OUTPUT_UNWRITABLE", path: "/dev/full" });
    expect(failure.message).toContain("no space is left on the device");
  });
});
