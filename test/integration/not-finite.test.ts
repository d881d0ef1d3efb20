import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { expectNothingLeft, workplace } from "../support/refused-run.js";
import { eventsOf, runFailingTrain } from "../support/run-command.js";
import { type NetworkText, writeNetwork } from "../support/training-data.js";

const REGRESSION = { inputs: 2, hidden: [3], outputs: 1, problem: "Approximators" } as const;

/** A training that leaves the finite numbers, on one worker and on two: how it ends. */
async function divergingRuns(network: NetworkText, rows: readonly string[], testRows: readonly string[] = []) {
  const ends: { readonly message: string; readonly metrics: readonly number[] }[] = [];
  for (const workers of ["1", "2"]) {
    const place = await workplace();
    const document = await writeNetwork(place.folder, network);
    const data = join(place.folder, "rows.csv");
    await writeFile(data, `${rows.join("\n")}\n`);
    const args = [document, "--data", data, "--out", place.out, "--workers", workers, "--replicas", "2"];
    const test = join(place.folder, "test.csv");
    await writeFile(test, `${testRows.join("\n")}\n`);
    const testing = testRows.length === 0 ? ["--test-split", "0"] : ["--test-data", test];
    const { end, failed } = await runFailingTrain([...args, ...testing], { env: place.env });
    expect(end.exitCode, failed.message).toBe(5);
    expect(failed.code, failed.message).toBe("NOT_FINITE");
    expect(end.stderr).toBe(`ringstrasse: ${failed.message}\n`);
    expectNothingLeft(place);
    const metrics = join(place.out, "metrics.csv");
    ends.push({ message: failed.message, metrics: existsSync(metrics) ? epochsOf(metrics) : [] });
  }
  return ends;
}

/** The first column of a metrics file: which epochs were kept. */
function epochsOf(path: string): number[] {
  const [, ...rows] = readFileSync(path, "utf8").trimEnd().split("\n");
  return rows.map((row) => Number(row.split(",")[0]));
}

describe("a training that leaves the finite numbers stops, on every number of workers alike", () => {
  it("a learning rate of 1e30: the step, the tensor and the learning rate are told; the step is not committed", async () => {
    const parameters = { learningrate: 1e30, iterations: 50, batchsize: 10, activationfunction: "linear" };
    const rows = Array.from({ length: 40 }, (_, row) => `${row % 7},${row % 5},${(row % 7) - (row % 5)}`);
    const [one, two] = await divergingRuns({ ...REGRESSION, parameters }, rows);
    expect(one?.message).toMatch(
      /^epoch 1, step [1-9]: .* is (NaN|-?Infinity) at learning rate 1e\+30\. Lower the learning rate/,
    );
    expect(one?.message).toMatch(/Hidden1|Output1/);
    expect(two).toEqual(one);
    expect(one?.metrics).toEqual([]);
  });

  it("one that diverges after a few fast steps: all steps before are told, to the last", async () => {
    const parameters = { learningrate: 0.5, iterations: 1000, batchsize: 10, activationfunction: "linear" };
    const rows = Array.from({ length: 40 }, (_, row) => `${row % 7},${row % 5},${(row % 7) - (row % 5)}`);
    for (const workers of ["1", "2"]) {
      const place = await workplace();
      const document = await writeNetwork(place.folder, { ...REGRESSION, parameters });
      const data = join(place.folder, "rows.csv");
      await writeFile(data, `${rows.join("\n")}\n`);
      const args = [document, "--data", data, "--out", place.out, "--test-split", "0", "--replicas", "2"];
      const { end, failed } = await runFailingTrain([...args, "--workers", workers], { env: place.env });
      expect(failed.code, failed.message).toBe("NOT_FINITE");
      const last = Number(/step (\d+):/.exec(failed.message)?.[1]);
      expect(last).toBeGreaterThan(5);
      const told = eventsOf(end.stdout).flatMap((event) => (event.event === "step" ? [event.step] : []));
      expect(told).toEqual(Array.from({ length: last - 1 }, (_, index) => index + 1));
    }
  });

  it("targets near the largest float32: the very first step says so", async () => {
    const parameters = { learningrate: 0.1, iterations: 50, batchsize: 10 };
    const rows = Array.from({ length: 40 }, (_, row) => `${row % 7},${row % 5},${row % 2 === 0 ? "1e38" : "-3e38"}`);
    const [one, two] = await divergingRuns({ ...REGRESSION, parameters }, rows);
    expect(one?.message).toMatch(
      /^epoch 1, step [01]: .* is (NaN|-?Infinity) at learning rate 0\.1\. .*scale of features/,
    );
    expect(two).toEqual(one);
  });

  it("test rows that the trained network turns into no number are told as that", async () => {
    const parameters = { learningrate: 0.01, iterations: 3, batchsize: 10, activationfunction: "linear" };
    // Divided by a deviation as small as this, the test rows leave float32.
    const rows = Array.from({ length: 40 }, (_, row) => `${row % 7}e-9,${row % 5}e-9,${row % 3}`);
    const [one, two] = await divergingRuns({ ...REGRESSION, parameters }, rows, ["3e38,-3e38,1", "1,1,1"]);
    expect(one?.message).toMatch(
      /^epoch 1, step 4: the loss of the test rows is (NaN|Infinity) at learning rate 0\.01/,
    );
    expect(two).toEqual(one);
  });

  it("features near the largest float32 are standardised, and train", async () => {
    const parameters = { learningrate: 1e30, iterations: 400, batchsize: 10, activationfunction: "relu" };
    const rows = Array.from({ length: 40 }, (_, row) => `${(row % 7) * 5}e37,${(row % 5) - 2}e38,${row % 3}`);
    const [one, two] = await divergingRuns({ inputs: 2, hidden: [4, 4], outputs: 3, parameters }, rows);
    expect(one?.message).toMatch(/at learning rate 1e\+30/);
    expect(two).toEqual(one);
  });
});
