import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { DiffOutcome } from "../../coordinator/diff/diff-command.js";
import { createRowOrder } from "../../shared/data/row-order.js";
import { replicaSpan, stepSpan, stepsPerEpoch } from "../../shared/epoch-plan.js";
import { runCommand, runTrain } from "../support/run-command.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { writeBlobs, writeNetwork } from "../support/training-data.js";

const SEED = 4;
const ROWS = 203;
const BATCH_SIZE = 29;
const REPLICAS = 3;
const PARAMETERS = {
  optimizer: "momentum",
  learningrate: 0.1,
  momentum: 0.9,
  epochs: 2,
  batchsize: BATCH_SIZE,
  seed: SEED,
  testsplit: 0,
};

interface Change {
  readonly parameters?: Readonly<Record<string, number>>;
  readonly data?: string;
  readonly replicas?: number;
  /** Default `step`. */
  readonly hashes?: "epoch" | "step";
  readonly flags?: readonly string[];
}

/** Runs one small job in folders of its own; all of them have the same network. */
class Job {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @returns the run's output directory. */
  async run(name: string, change: Change = {}): Promise<string> {
    const parameters = { ...PARAMETERS, ...change.parameters };
    const network = { inputs: 2, hidden: [6], outputs: 3, parameters };
    const document = await writeNetwork(this.#folder, network, `${name}.xml`);
    const data = change.data ?? (await writeBlobs(this.#folder, ROWS));
    const out = join(this.#folder, name);
    const places = ["--data-dir", join(this.#folder, "rows"), "--out", out];
    const hashes = ["--replicas", `${change.replicas ?? REPLICAS}`, "--block-hashes", change.hashes ?? "step"];
    await runTrain([document, "--data", data, ...places, ...hashes, ...(change.flags ?? [])]);
    return out;
  }

  /** Another label in one row: features, and so means and deviations, stay. @returns the file. */
  async relabel(row: number): Promise<string> {
    const lines = (await readFile(await writeBlobs(this.#folder, ROWS), "utf8")).trimEnd().split("\n");
    const changed = lines.map((line, index) => {
      const [x, y, label] = line.split(",");
      return index === row ? `${x},${y},${(Number(label) + 1) % 3}` : line;
    });
    const path = join(this.#folder, "relabelled.csv");
    await writeFile(path, `${changed.join("\n")}\n`);
    return path;
  }
}

async function job(): Promise<Job> {
  return new Job(await temporaryDirectory());
}

async function diff(
  a: string,
  b: string,
): Promise<{ exitCode: number | null; text: string; json: DiffOutcome["json"] }> {
  const [text, json] = [await runCommand(["diff", a, b]), await runCommand(["diff", a, b, "--json"])];
  expect(json.exitCode).toBe(text.exitCode);
  expect(text.stderr + json.stderr).toBe("");
  return { exitCode: text.exitCode, text: text.stdout, json: JSON.parse(json.stdout) as DiffOutcome["json"] };
}

/** Where row `row` comes up for the first time: step (from 1) and replica. */
function firstUseOf(row: number): { step: number; replica: number } {
  // Two float32 features and a class number.
  const order = createRowOrder({ seed: SEED, epoch: 1, rowCount: ROWS, rowSizeBytes: 12 });
  for (let step = 0; step < stepsPerEpoch(ROWS, BATCH_SIZE); step++) {
    for (let replica = 0; replica < REPLICAS; replica++) {
      const { from, to } = replicaSpan(stepSpan(ROWS, BATCH_SIZE, step), replica, REPLICAS);
      for (let position = from; position < to; position++) {
        if (order.rowAt(position) === row) return { step: step + 1, replica };
      }
    }
  }
  throw new Error(`row ${row} is in no step`);
}

describe("ringstrasse diff of real runs", () => {
  it("finds 1 and 3 workers identical to the last step", async () => {
    const runs = await job();
    const [one, three] = [await runs.run("one"), await runs.run("three", { flags: ["--workers", "3"] })];
    const { exitCode, text, json } = await diff(one, three);
    expect(exitCode).toBe(0);
    expect(text).toContain("identical, up to epoch 2, step 14");
    expect(json).toMatchObject({ identical: true, stepsCompared: true, result: { at: { epoch: 2, step: 14 } } });
    // It did compare two ways of computing.
    expect(json.configuration).toContainEqual({ name: "workers", a: "1", b: "3", numeric: false });
  });

  it("another learning rate: the first update, rows and gradients being alike", async () => {
    const runs = await job();
    const [a, b] = [await runs.run("a"), await runs.run("b", { parameters: { learningrate: 0.2 } })];
    const { exitCode, text, json } = await diff(a, b);
    expect(exitCode).toBe(1);
    expect(text).toContain("first difference: epoch 1, step 1: rows and gradients alike");
    expect(text).toMatch(/learningRate 0\.1.* and .*learningRate 0\.2/);
    expect(json.result).toMatchObject({
      kind: "different",
      difference: { epoch: 1, step: 1, stage: "update", replica: null, block: 0, lastEqual: { epoch: 0, step: 0 } },
    });
    expect(json.result).toHaveProperty("difference.tensors", expect.arrayContaining(["Hidden1/kernel"]));
  });

  it("another seed: the initial parameters, before the first step", async () => {
    const runs = await job();
    const [a, b] = [await runs.run("a"), await runs.run("b", { flags: ["--seed", "5"] })];
    const { exitCode, text, json } = await diff(a, b);
    expect(exitCode).toBe(1);
    expect(text).toContain("first difference: before the first step: the initial parameters differ");
    expect(text).toContain("seed: 4 and 5");
    expect(json.result).toMatchObject({ difference: { stage: "initial", step: 0, block: 0, lastEqual: null } });
    expect(json.result).toHaveProperty("difference.tensors", ["Hidden1/kernel", "Hidden1/bias"]);
  });

  it("another label in one row: the step and the replica that use it first", async () => {
    const runs = await job();
    const row = 3;
    const { step, replica } = firstUseOf(row);
    expect({ step, replica }).toEqual({ step: 3, replica: 1 });
    const a = await runs.run("a", { flags: ["--workers", "2"] });
    const b = await runs.run("b", { data: await runs.relabel(row) });
    const { exitCode, text, json } = await diff(a, b);
    expect(exitCode).toBe(1);
    expect(text).toContain(`first difference: epoch 1, step ${step}: a replica was given other rows`);
    expect(text).toContain(`replica ${replica}`);
    const difference = { epoch: 1, step, stage: "rows", replica, lastEqual: { epoch: 1, step: step - 1 } };
    expect(json.result).toMatchObject({ kind: "different", difference });
  });

  it("another test split: other rows, and that it is the cause", async () => {
    const runs = await job();
    const a = await runs.run("a", { parameters: { testsplit: 0.2 } });
    const b = await runs.run("b", { parameters: { testsplit: 0.3 } });
    const { exitCode, json } = await diff(a, b);
    expect(exitCode).toBe(1);
    expect(json.configuration).toContainEqual({ name: "testSplit", a: "0.2", b: "0.3", numeric: true });
    const told = await readFile(join(a, "trainingresult.xml"), "utf8");
    expect(told).toMatch(/<data>\s*<file>[^<]*blobs\.csv<\/file>/);
  });

  it("without hashes of every step: the first epoch, and how to learn more", async () => {
    const runs = await job();
    const a = await runs.run("a", { hashes: "epoch" });
    const b = await runs.run("b", { parameters: { learningrate: 0.2 } });
    const { exitCode, text, json } = await diff(a, b);
    expect(exitCode).toBe(1);
    expect(text).toContain("first difference: epoch 1, step 7: the parameters differ");
    expect(text).toContain("--block-hashes step");
    expect(json).toMatchObject({ stepsCompared: false, result: { difference: { stage: "parameters", block: 0 } } });
  });

  it("a run that is longer is alike as far as both go: exit 1, saying where the other ends", async () => {
    const runs = await job();
    const [a, b] = [await runs.run("a"), await runs.run("b", { flags: ["--epochs", "3"] })];
    const { exitCode, text } = await diff(a, b);
    expect(exitCode).toBe(1);
    expect(text).toContain(`identical up to epoch 2, step 14; there ${a} ends`);
  });

  it("another number of replicas can't be compared: exit 2, saying why; no run there: exit 3", async () => {
    const runs = await job();
    const [a, b] = [await runs.run("a"), await runs.run("b", { replicas: 4 })];
    const incomparable = await runCommand(["diff", a, b]);
    expect(incomparable).toMatchObject({ exitCode: 2, stdout: "" });
    expect(incomparable.stderr).toContain("replicas 3 and 4");
    const missing = await runCommand(["diff", a, join(b, "nothing")]);
    expect(missing).toMatchObject({ exitCode: 3, stdout: "" });
    expect(missing.stderr).toContain(join(b, "nothing"));
  });
});
