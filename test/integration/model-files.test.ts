import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";
import { METRICS_COLUMNS } from "../../coordinator/output/metrics-csv.js";
import { RunResultSchema } from "../../coordinator/output/write-result.js";
import { realData } from "../support/real-data.js";
import { ROOT, runCommand, runTrain } from "../support/run-command.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { tfjsFileHandler } from "../support/tfjs-file-handler.js";
import { type NetworkText, writeBlobs, writeNetwork } from "../support/training-data.js";

/** The fields of the last line, as programs rely on them, in their order. */
const LAST_LINE =
  "event jobId status engine collective ordered workers replicas threads epochs steps trainLoss trainAccuracy testLoss " +
  "testAccuracy samplesPerSecond communicationFraction wallMs weightsSha256 stateSha256 modelDir";

interface Metadata {
  readonly ringstrasse: {
    readonly transform: { readonly kind: string; readonly mean: number[]; readonly deviation: number[] };
    readonly weightsSha256: string;
  };
}

async function load(modelDir: string): Promise<tf.LayersModel> {
  return await tf.loadLayersModel(tfjsFileHandler(join(modelDir, "model.json")));
}

/** Outputs of the loaded model for rows that are standardised as its metadata says, and as another program would. */
async function predictWithTfjs(modelDir: string, rows: readonly (readonly number[])[]): Promise<number[][]> {
  const model = await load(modelDir);
  const { transform } = (model.getUserDefinedMetadata() as Metadata).ringstrasse;
  expect(transform.kind).toBe("standardise");
  const x = rows.map((row) =>
    row.map(
      (value, column) => (Math.fround(value) - (transform.mean[column] ?? 0)) / (transform.deviation[column] ?? 1),
    ),
  );
  const outputs = model.predict(tf.tensor2d(x)) as tf.Tensor;
  const values = (await outputs.array()) as number[][];
  outputs.dispose();
  model.dispose();
  return values;
}

/** Lines of `ringstrasse predict`: number fields from column `from` on. */
async function predictWithCommand(modelDir: string, data: string, from: number): Promise<number[][]> {
  const { exitCode, stdout, stderr } = await runCommand(["predict", modelDir, "--data", data]);
  expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
  const [, ...lines] = stdout.trimEnd().split("\n");
  return lines.map((line) => line.split(",").slice(from).map(Number));
}

function largestDifference(a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number {
  expect(a.map((row) => row.length)).toEqual(b.map((row) => row.length));
  return Math.max(
    ...a.flatMap((row, index) => row.map((value, at) => Math.abs(value - (b[index]?.[at] ?? Number.NaN)))),
  );
}

async function trainSmall(network: NetworkText, flags: readonly string[] = [], rows = 203) {
  const folder = await temporaryDirectory();
  const data = await writeBlobs(folder, rows);
  const document = await writeNetwork(folder, network);
  const out = join(folder, "run");
  const places = ["--data-dir", join(folder, "rows"), "--out", out];
  const run = await runTrain([document, "--data", data, ...places, ...flags]);
  const table = (await readFile(data, "utf8")).trimEnd().split("\n");
  return { run, out, data, table: table.map((line) => line.split(",").map(Number)) };
}

describe("the model that a run leaves", () => {
  it("loads with tf.loadLayersModel and predicts what ringstrasse predict does: classes", async () => {
    const parameters = { epochs: 20, learningrate: 0.5, activationfunction: "relu" };
    const { run, data, table } = await trainSmall({ inputs: 2, hidden: [8, 6], outputs: 3, parameters });
    const { modelDir } = run.finished;
    const expected = await predictWithTfjs(
      modelDir,
      table.map((row) => row.slice(0, 2)),
    );
    const predicted = await predictWithCommand(modelDir, data, 2);
    expect(predicted).toHaveLength(203);
    expect(largestDifference(predicted, expected)).toBeLessThan(1e-6);
    // Not all alike, or the comparison would say little.
    expect(new Set(predicted.map((row) => row.indexOf(Math.max(...row)))).size).toBe(3);
  });

  it("and real values", async () => {
    const parameters = { epochs: 20, learningrate: 0.05, activationfunction: "tanh" };
    const network = { inputs: 1, hidden: [5], outputs: 2, problem: "Approximators", parameters } as const;
    const { run, data, table } = await trainSmall(network);
    const expected = await predictWithTfjs(
      run.finished.modelDir,
      table.map((row) => row.slice(0, 1)),
    );
    const predicted = await predictWithCommand(run.finished.modelDir, data, 1);
    expect(predicted).toHaveLength(203);
    expect(largestDifference(predicted, expected)).toBeLessThan(1e-6);
  });

  it("tells on its own training rows the figures of the run: iris, label and all", async () => {
    const folder = await temporaryDirectory();
    const places = ["--data-dir", join(folder, "rows"), "--out", join(folder, "run")];
    const rows = join(ROOT, "examples/iris/iris.csv");
    const flags = ["--test-data", rows, "--epochs", "40", "--workers", "2"];
    const { finished } = await runTrain([join(ROOT, "examples/iris/iris.xml"), ...flags, ...places]);
    const { stdout, stderr } = await runCommand(["predict", join(folder, "run"), "--data", rows, "--json"]);
    expect(stdout.trimEnd().split("\n")).toHaveLength(150);
    // The test data was the very same file.
    const [, accuracy, loss] = /accuracy ([\d.]+) %, loss ([\d.]+)/.exec(stderr) ?? [];
    expect(Number(accuracy)).toBeCloseTo(100 * (finished.testAccuracy ?? Number.NaN), 2);
    expect(Number(loss)).toBeCloseTo(finished.testLoss ?? Number.NaN, 3);
  });

  it("holds the weights whose hash the run tells", async () => {
    const { run } = await trainSmall({ inputs: 2, hidden: [4], outputs: 3, parameters: { epochs: 2 } });
    const { modelDir, weightsSha256 } = run.finished;
    const weights = await readFile(join(modelDir, "weights.bin"));
    expect(createHash("sha256").update(weights).digest("hex")).toBe(weightsSha256);
    const model = await load(modelDir);
    expect((model.getUserDefinedMetadata() as Metadata).ringstrasse.weightsSha256).toBe(weightsSha256);
    model.dispose();
    const tensors = await readFile(join(modelDir, "model.safetensors"));
    // The tensors lie behind the header, in the same order and without gaps.
    expect(tensors.subarray(tensors.length - weights.length)).toEqual(weights);
  });

  const images = realData("mnist/t10k-images-idx3-ubyte.gz");
  it.skipIf(images === null)("predicts real digits from packed images (needs ../shared/data/mnist)", async () => {
    const folder = await temporaryDirectory();
    const places = ["--data-dir", join(folder, "rows"), "--out", join(folder, "run")];
    const flags = ["--data", images ?? "", "--epochs", "1", "--test-split", "0.5"];
    const { finished } = await runTrain([join(ROOT, "examples/mnist/mnist.xml"), ...flags, ...places]);
    const { stdout, stderr } = await runCommand(["predict", finished.modelDir, "--data", images ?? ""]);
    expect(stdout.trimEnd().split("\n")).toHaveLength(10_001);
    const [, accuracy] = /accuracy ([\d.]+) %/.exec(stderr) ?? [];
    expect(Number(accuracy)).toBeGreaterThan(85);
  });
});

describe("the records that a run leaves", () => {
  it("result.json, metrics.csv and hashes.jsonl say what the events said", async () => {
    const parameters = { epochs: 3, learningrate: 0.5, batchsize: 50, optimizer: "adam" };
    const network = { inputs: 2, hidden: [8], outputs: 3, parameters };
    const { run, out } = await trainSmall(network, ["--workers", "2", "--replicas", "4", "--block-hashes", "step"]);
    const { events, finished, epochs, steps } = run;

    const result = RunResultSchema.parse(JSON.parse(await readFile(join(out, "result.json"), "utf8")));
    const { event: _finished, ...figures } = finished;
    expect(result).toMatchObject(figures);
    expect(result.history).toEqual(epochs.map(({ event: _epoch, ...epoch }) => epoch));
    const started = events.find((event) => event.event === "started");
    // What the workers' engine is in detail, and which collective is fastest, is known when they have joined.
    const { engineFacts, measuredCollectives, ...configuration } = result.configuration;
    expect(configuration).toEqual(started?.configuration);
    expect(measuredCollectives).toMatchObject({ collective: finished.collective });
    expect(engineFacts).toMatchObject({ name: finished.engine, threads: 1 });

    const [header, ...lines] = (await readFile(join(out, "metrics.csv"), "utf8")).trimEnd().split("\n");
    expect(header).toBe(METRICS_COLUMNS.join(","));
    expect(lines).toEqual(epochs.map((epoch) => METRICS_COLUMNS.map((column) => epoch[column] ?? "").join(",")));

    const log = (await readFile(join(out, "hashes.jsonl"), "utf8")).trimEnd().split("\n");
    const entries = log.map(
      (line) => JSON.parse(line) as { kind: string; epoch: number; step: number; replicas: unknown[] },
    );
    const [first, ...rest] = entries;
    expect(first).toMatchObject({
      kind: "header",
      jobId: finished.jobId,
      replicas: 4,
      stateNames: ["mean", "variance"],
    });
    const inLog = rest.filter(({ kind }) => kind === "step");
    expect(inLog.map(({ epoch, step }) => ({ epoch, step }))).toEqual(
      steps.map(({ epoch, step }) => ({ epoch, step })),
    );
    for (const { replicas } of inLog) expect(replicas).toHaveLength(4);
    const places = rest.filter(({ kind }) => kind === "epoch").map(({ epoch, step }) => ({ epoch, step }));
    expect(places).toEqual([
      { epoch: 0, step: 0 },
      ...epochs.map((epoch) => ({ epoch: epoch.epoch, step: epoch.steps })),
    ]);
  });

  it("the last line has the fields that programs rely on, in their order, and agrees with the last epoch", async () => {
    const { run, out } = await trainSmall({ inputs: 2, hidden: [4], outputs: 3, parameters: { epochs: 2 } });
    const { finished, epochs, events } = run;
    expect(Object.keys(finished)).toEqual(LAST_LINE.split(" "));
    expect(events.map(({ event }) => event)).toEqual([
      "started",
      "generation",
      "step",
      "epoch",
      "step",
      "epoch",
      "finished",
    ]);
    const last = epochs.at(-1);
    expect(finished).toMatchObject({
      status: "FINISHED",
      engine: "wasm",
      epochs: 2,
      steps: 2,
      trainLoss: last?.trainLoss,
      trainAccuracy: last?.trainAccuracy,
      testLoss: last?.testLoss,
      testAccuracy: last?.testAccuracy,
      samplesPerSecond: last?.samplesPerSecond,
      communicationFraction: last?.communicationFraction,
      modelDir: join(out, "model"),
    });
  });
});
