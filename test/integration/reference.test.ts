import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { RowFileSpec } from "../../shared/data/dataset-spec.js";
import type { ModelSpec, OptimizerSpec } from "../../shared/model-spec.js";
import { RandomStream } from "../../shared/random/random-stream.js";
import { relativeDifference } from "../support/reference-mlp.js";
import { type ReferenceRounds, trainReferenceRounds } from "../support/reference-rounds.js";
import { fileBelow, trainReference, weightsIn } from "../support/reference-training.js";
import { runTrain } from "../support/run-command.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { type NetworkText, writeBlobs, writeNetwork } from "../support/training-data.js";

const SEED = 11;
/** 25 steps an epoch, of 41 rows over 3 replicas (14, 14 and 13) but for the last, of 25 (9, 8 and 8). */
const TRAIN_ROWS = 1009;
const BATCH_SIZE = 41;
const EPOCHS = 2;
const STEPS = 50;
/** ‖Δ‖ / ‖·‖ per tensor between the run's float32 and the reference's float64. */
const TOLERANCE = 1e-5;

type Shape = Pick<ModelSpec, "layers" | "loss" | "targets">;

interface Case {
  readonly optimizer: OptimizerSpec;
  readonly network: Omit<NetworkText, "inputs">;
  readonly shape: Shape;
  /** Then it is trained by local-sgd. */
  readonly rounds?: Omit<ReferenceRounds, "replicas">;
  /** Writes a table of two features; a fifth of its rows is held out. */
  readonly write: (folder: string) => Promise<string>;
}

/** 252 of them are held out, 1,009 are left. */
const TABLE_ROWS = 1261;

const dense = (name: string, units: number, activation: "tanh" | "softmax" | "sigmoid" | "linear", bias = 0) =>
  ({ kind: "dense", name, units, activation, initialBias: bias }) as const;

const CLASSIFICATION: Omit<Case, "optimizer"> = {
  network: { hidden: [7, 5], outputs: 3, parameters: { biasInput: 0.25, biasHidden: -0.125 } },
  shape: {
    layers: [
      dense("Hidden1", 7, "tanh", 0.25),
      dense("Hidden2", 5, "tanh", -0.125),
      dense("Output1", 3, "softmax", -0.125),
    ],
    loss: "softmaxCrossEntropy",
    targets: { kind: "class", classes: 3 },
  },
  write: (folder) => writeBlobs(folder, TABLE_ROWS),
};

const BINARY: Omit<Case, "optimizer"> = {
  network: { hidden: [6], outputs: 1, parameters: { biasHidden: 0.5 } },
  shape: {
    layers: [dense("Hidden1", 6, "tanh"), dense("Output1", 1, "sigmoid", 0.5)],
    loss: "sigmoidCrossEntropy",
    targets: { kind: "class", classes: 2 },
  },
  write: (folder) => writeBlobs(folder, TABLE_ROWS, 2),
};

const regression = (loss: "meanSquaredError" | "meanAbsoluteError"): Omit<Case, "optimizer"> => ({
  network: { hidden: [6], outputs: 2, problem: "Approximators", parameters: { loss } },
  shape: {
    layers: [dense("Hidden1", 6, "tanh"), dense("Output1", 2, "linear")],
    loss,
    targets: { kind: "values", outputs: 2 },
  },
  write: writeCurves,
});

/** Two features of very different scale and offset, two smooth functions of them. */
async function writeCurves(folder: string): Promise<string> {
  const random = new RandomStream({ seed: 2, purpose: 99 });
  const lines = Array.from({ length: TABLE_ROWS }, () => {
    const [a, b] = [2 * random.nextFloat() - 1, 2 * random.nextFloat() - 1];
    const targets = [Math.sin(2 * a) + 0.3 * b, a * b - 0.2];
    return [1000 + 50 * a, 0.01 * b, ...targets].map((value) => value.toFixed(6)).join(",");
  });
  const path = join(folder, "curves.csv");
  await writeFile(path, `${lines.join("\n")}\n`);
  return path;
}

const CASES: Readonly<Record<string, Case>> = {
  "sgd, classes": { optimizer: { kind: "sgd", learningRate: 0.2 }, ...CLASSIFICATION },
  "momentum, classes": { optimizer: { kind: "momentum", learningRate: 0.05, momentum: 0.8 }, ...CLASSIFICATION },
  "nesterov, classes": { optimizer: { kind: "nesterov", learningRate: 0.05, momentum: 0.8 }, ...CLASSIFICATION },
  "adam, classes": {
    optimizer: { kind: "adam", learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
    ...CLASSIFICATION,
  },
  "adamw, classes": {
    optimizer: { kind: "adamw", learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0.01 },
    ...CLASSIFICATION,
  },
  "rmsprop, classes": {
    optimizer: { kind: "rmsprop", learningRate: 0.005, decay: 0.9, epsilon: 1e-7 },
    ...CLASSIFICATION,
  },
  "adagrad, classes": {
    optimizer: { kind: "adagrad", learningRate: 0.1, initialAccumulator: 0.1, epsilon: 1e-7 },
    ...CLASSIFICATION,
  },
  "momentum, classes, local-sgd with Nesterov's outer momentum": {
    optimizer: { kind: "momentum", learningRate: 0.05, momentum: 0.8 },
    ...CLASSIFICATION,
    rounds: { syncEvery: 4, outer: { learningRate: 0.7, momentum: 0.9 } },
  },
  "adam, two real values, local-sgd": {
    optimizer: { kind: "adam", learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
    ...regression("meanSquaredError"),
    rounds: { syncEvery: 10, outer: { learningRate: 1, momentum: 0 } },
  },
  "sgd, one sigmoid output": { optimizer: { kind: "sgd", learningRate: 0.3 }, ...BINARY },
  "momentum, two real values, squared error": {
    optimizer: { kind: "momentum", learningRate: 0.05, momentum: 0.9 },
    ...regression("meanSquaredError"),
  },
  "adam, two real values, absolute error": {
    optimizer: { kind: "adam", learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
    ...regression("meanAbsoluteError"),
  },
};

/** Trains the case with 3 replicas on 2 workers, and by the reference. */
async function both({ optimizer, network, shape, write, rounds }: Case) {
  const folder = await temporaryDirectory();
  const momentum = "momentum" in optimizer ? { momentum: optimizer.momentum } : {};
  const parameters = {
    ...network.parameters,
    activationfunction: "tanh",
    optimizer: optimizer.kind,
    learningrate: optimizer.learningRate,
    ...momentum,
    seed: SEED,
    epochs: EPOCHS,
    batchsize: BATCH_SIZE,
  };
  const document = await writeNetwork(folder, { ...network, inputs: 2, parameters });
  const rowsFolder = join(folder, "rows");
  const flags = ["--workers", "2", "--replicas", "3", "--data-dir", rowsFolder, "--out", join(folder, "run")];
  const run = await runTrain([document, "--data", await write(folder), ...flags, ...roundFlags(rounds)]);

  const { targets } = shape;
  const rows: RowFileSpec = {
    path: fileBelow(rowsFolder, "train.rows"),
    rowCount: TRAIN_ROWS,
    features: 2,
    featureType: "float32",
    targetType: targets.kind === "class" ? "class" : "float32",
    targets: targets.kind === "class" ? 1 : targets.outputs,
  };
  const model: ModelSpec = { inputs: 2, ...shape, layers: [...shape.layers] };
  const job = { model, optimizer, seed: SEED, batchSize: BATCH_SIZE, epochs: EPOCHS, rows };
  const reference = rounds === undefined ? trainReference(job) : trainReferenceRounds(job, { replicas: 3, ...rounds });
  return { run, reference, trained: weightsIn(run.finished.modelDir, reference.layout) };
}

function roundFlags(rounds: Case["rounds"]): string[] {
  if (rounds === undefined) return [];
  const { learningRate, momentum } = rounds.outer;
  const outer = ["--outer-learning-rate", `${learningRate}`, "--outer-momentum", `${momentum}`];
  return ["--strategy", "local-sgd", "--sync-every", `${rounds.syncEvery}`, ...outer];
}

describe("3 replicas on 2 workers equal a plain single-process training in float64", () => {
  it.each(Object.entries(CASES))(`within 1e-5 after ${STEPS} steps: %s`, async (_, example) => {
    const { run, reference, trained } = await both(example);
    expect(run.finished.steps).toBe(STEPS);
    expect(reference.losses).toHaveLength(STEPS);
    const differences = (step: number): number[] =>
      trained.map((tensor, index) => relativeDifference(tensor, reference.tensors[step]?.[index] ?? []));
    const named = (values: number[]): [string | undefined, number][] =>
      values.map((value, index) => [reference.layout.slots[index]?.name, value]);
    expect(named(differences(STEPS)).filter(([, value]) => !(value < TOLERANCE))).toEqual([]);
    // The check sees even one step's difference, and that training moved every tensor far.
    expect(named(differences(STEPS - 1)).filter(([, value]) => !(value > 10 * TOLERANCE))).toEqual([]);
    expect(named(differences(0)).filter(([, value]) => !(value > 0.01))).toEqual([]);
    const losses = run.steps.map(({ loss }) => loss);
    expect(relativeDifference(losses, reference.losses)).toBeLessThan(TOLERANCE);
  });

  it("standardise by the training rows alone, and say so in the model", async () => {
    const { run, reference } = await both({
      optimizer: { kind: "sgd", learningRate: 0.1 },
      ...regression("meanSquaredError"),
    });
    const { userDefinedMetadata } = JSON.parse(readFileSync(join(run.finished.modelDir, "model.json"), "utf8")) as {
      userDefinedMetadata: { ringstrasse: { transform: { kind: string; mean: number[]; deviation: number[] } } };
    };
    const { kind, mean, deviation } = userDefinedMetadata.ringstrasse.transform;
    expect(kind).toBe("standardise");
    expect(relativeDifference(mean, reference.mean)).toBeLessThan(1e-12);
    expect(relativeDifference(deviation, reference.deviation)).toBeLessThan(1e-9);
    // Features of scale 50 and 0.01: without standardisation this could not be.
    expect(run.epochs.at(-1)?.trainLoss).toBeLessThan(0.3);
  });
});
