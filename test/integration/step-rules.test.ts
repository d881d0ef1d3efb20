import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { learningRateOf } from "../../shared/learning-rate/learning-rate.js";
import { ROOT, runFailingTrain, runTrain, type TrainRun } from "../support/run-command.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { writeNetwork } from "../support/training-data.js";

const ANY_BATCH = [join(ROOT, "examples/iris/iris.xml"), "--replicas", "4", "--epochs", "6"];
const IRIS = [...ANY_BATCH, "--batch-size", "32"];
/** 97 training rows. */
const STEPS_PER_EPOCH = 4;

interface KeptRun extends TrainRun {
  readonly out: string;
}

async function train(args: readonly string[]): Promise<KeptRun> {
  const out = join(await temporaryDirectory(), "out");
  return { out, ...(await runTrain([...args, "--data-dir", join(out, "../rows"), "--out", out])) };
}

/** One result on 1, 2 and 4 workers, on two of them over sockets. @returns the run on two */
async function sameOnAllWorkers(args: readonly string[]): Promise<KeptRun> {
  const runs: KeptRun[] = [];
  for (const workers of [["1"], ["2", "--collective", "ring"], ["4"]]) {
    runs.push(await train([...args, "--workers", ...workers]));
  }
  const hashes = runs.map(({ finished: { weightsSha256, stateSha256 } }) => `${weightsSha256} ${stateSha256}`);
  expect(new Set(hashes).size).toBe(1);
  const [, onTwo] = runs;
  if (onTwo === undefined) throw new Error("three runs expected");
  return onTwo;
}

interface Manifest {
  readonly weightsManifest: readonly { readonly weights: readonly { readonly shape: readonly number[] }[] }[];
}

/** The trained tensors of a run. */
async function tensorsOf({ out }: KeptRun): Promise<Float32Array[]> {
  const manifest = JSON.parse(await readFile(join(out, "model/model.json"), "utf8")) as Manifest;
  const bytes = await readFile(join(out, "model/weights.bin"));
  const floats = new Float32Array(new Uint8Array(bytes).buffer);
  let at = 0;
  return manifest.weightsManifest.flatMap(({ weights }) =>
    weights.map(({ shape }) => {
      const from = at;
      at += shape.reduce((product, size) => product * size, 1);
      return floats.subarray(from, at);
    }),
  );
}

const length = (values: ArrayLike<number>) => Math.hypot(...Array.from(values));

describe("gradient accumulation", () => {
  it("gives one result on any number of workers, close to that of whole slices", async () => {
    const whole = await tensorsOf(await train(IRIS));
    const runs = [await train([...IRIS, "--accumulate", "2"]), await sameOnAllWorkers([...IRIS, "--accumulate", "4"])];
    for (const run of runs) {
      const parts = await tensorsOf(run);
      expect(parts.map(({ length: size }) => size)).toEqual(whole.map(({ length: size }) => size));
      for (const [index, tensor] of whole.entries()) {
        const difference = tensor.map((value, place) => value - (parts[index]?.[place] ?? Number.NaN));
        expect(length(difference) / length(tensor)).toBeLessThan(1e-5);
      }
    }
  });

  it("computes a slice of fewer rows than parts, and counts every row once", async () => {
    const run = await train([...ANY_BATCH, "--batch-size", "5", "--accumulate", "3", "--block-hashes", "step"]);
    expect(run.steps.filter(({ epoch }) => epoch === 1).reduce((sum, { rows }) => sum + rows, 0)).toBe(97);
  });
});

describe("clipping", () => {
  it("gives one result on any number of workers, and tells the norm before it", async () => {
    const { steps, epochs, finished, out } = await sameOnAllWorkers([...IRIS, "--clip-norm", "0.05"]);
    for (const { gradientNorm } of steps) expect(gradientNorm).toBeGreaterThan(0);
    const first = steps.filter(({ epoch }) => epoch === 1);
    const mean = first.reduce((sum, { gradientNorm = Number.NaN }) => sum + gradientNorm, 0) / STEPS_PER_EPOCH;
    expect(epochs[0]?.gradientNorm).toBeCloseTo(mean, 12);
    const [header = "", row = ""] = (await readFile(join(out, "metrics.csv"), "utf8")).split("\n");
    expect(Number(row.split(",")[header.split(",").indexOf("gradientNorm")])).toBe(epochs[0]?.gradientNorm);
    const free = await train([...IRIS, "--clip-norm", "1e9"]);
    expect(finished.weightsSha256).not.toBe(free.finished.weightsSha256);
    const plain = await train(IRIS);
    expect(plain.finished.weightsSha256).toBe(free.finished.weightsSha256);
    expect(plain.steps[0]).not.toHaveProperty("gradientNorm");
  });
});

describe("learning-rate schedules", () => {
  it("tells the rate of every step, which is the schedule's, and gives one result on any number of workers", async () => {
    const rules = ["--schedule", "cosine", "--final-rate", "0.1", "--warm-up", "1.5", "--scale-learning-rate", "16"];
    const { steps, epochs, events } = await sameOnAllWorkers([...IRIS, ...rules]);
    const plan = {
      learningRate: (0.1 * 32) / 16,
      schedule: { kind: "cosine", final: 0.1 },
      warmUpSteps: 6,
      epochs: 6,
      stepsPerEpoch: STEPS_PER_EPOCH,
    } as const;
    expect(steps.map(({ learningRate }) => learningRate)).toEqual(steps.map(({ step }) => learningRateOf(plan, step)));
    expect(epochs.at(-1)?.learningRate).toBe(steps.at(-1)?.learningRate);
    expect(events[0]).toMatchObject({
      configuration: {
        learningRateScaling: { learningRate: 0.1, referenceBatch: 16, batchSize: 32 },
        schedule: { kind: "cosine", final: 0.1 },
        warmUpSteps: 6,
        sources: { schedule: "flag", warmUp: "flag", learningRateScaling: "flag", clipNorm: "default" },
      },
    });
  });
});

describe("exchanges in 16 bits", () => {
  it.each(["bf16", "fp16"])("%s gives one result on any number of workers, with half the bytes", async (format) => {
    const packed = await sameOnAllWorkers([...IRIS, "--compress", format]);
    const plain = await train([...IRIS, "--workers", "2", "--collective", "ring"]);
    expect(packed.finished.weightsSha256).not.toBe(plain.finished.weightsSha256);
    const sentBytes = ({ steps }: KeptRun) => steps[0]?.workers.reduce((sum, worker) => sum + worker.sentBytes, 0) ?? 0;
    const scalarBytes = 2 * sentBytes(packed) - sentBytes(plain);
    // Loss, counts and metrics: four numbers of 64 bits, in at most four frames.
    expect([32, 64, 96, 128]).toContain(scalarBytes);
    expect(sentBytes(plain) - scalarBytes).toBeGreaterThan(500);
  });

  it("fp16 leaves out what does not fit, halves its scale, and goes on; on any number of workers alike", async () => {
    const folder = await temporaryDirectory();
    const document = await writeNetwork(folder, {
      inputs: 2,
      hidden: [3],
      outputs: 1,
      problem: "Approximators",
      parameters: { learningrate: 1e-9, optimizer: "adam", iterations: 30, compress: "fp16" },
    });
    const data = join(folder, "rows.csv");
    await writeFile(data, Array.from({ length: 40 }, (_, row) => `${row % 7},${row % 5},1000\n`).join(""));
    const run = await sameOnAllWorkers([document, "--data", data, "--test-split", "0", "--replicas", "4"]);
    const skipped = run.steps.filter((step) => step.skipped === true);
    expect(skipped.length).toBeGreaterThan(0);
    expect(skipped.length).toBeLessThan(run.steps.length);
    for (const { step, lossScale = Number.NaN } of skipped) expect(run.steps[step]?.lossScale).toBe(lossScale / 2);
    expect(run.epochs.reduce((sum, { skippedSteps = Number.NaN }) => sum + skippedSteps, 0)).toBe(skipped.length);
  });

  it("a loss scale that is fixed too high ends the training, with what to do about it", async () => {
    const place = await temporaryDirectory();
    const args = [...IRIS, "--compress", "fp16", "--loss-scale", String(2 ** 24), "--out", join(place, "out")];
    const { end, failed } = await runFailingTrain([...args, "--data-dir", join(place, "rows")]);
    expect([end.exitCode, failed.code]).toEqual([5, "NOT_FINITE"]);
    expect(failed.message).toMatch(/gradient of \S+, in fp16 with the loss scale 16777216, is .*Use --compress bf16/);
  });
});

it("all of it together gives one result on any number of workers", async () => {
  const rules = ["--accumulate", "3", "--clip-norm", "0.2", "--schedule", "polynomial", "--power", "2", "--warm-up"];
  const run = await sameOnAllWorkers([
    ...IRIS,
    ...rules,
    "5steps",
    "--scale-learning-rate",
    "24",
    "--compress",
    "fp16",
  ]);
  expect(run.steps[0]).toMatchObject({ lossScale: expect.any(Number), gradientNorm: expect.any(Number) });
});
