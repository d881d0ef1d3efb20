import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT, runCommand, runFailingTrain, runTrain, type TrainRun } from "../support/run-command.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { networkXml, writeBlobs } from "../support/training-data.js";

/** 97 training rows in 7 steps an epoch, the last of one row: three of four replicas have none then. */
const IRIS = [join(ROOT, "examples/iris/iris.xml"), "--replicas", "4", "--batch-size", "16"];
const STEPS_PER_EPOCH = 7;
const ROUNDS = ["--strategy", "local-sgd", "--sync-every", "3"];
const DILOCO = ["--outer-learning-rate", "0.7", "--outer-momentum", "0.9"];

interface KeptRun extends TrainRun {
  readonly out: string;
}

async function train(args: readonly string[]): Promise<KeptRun> {
  const folder = await temporaryDirectory();
  const out = join(folder, "out");
  const run = await runTrain(["--data-dir", join(folder, "rows"), "--out", out, ...args]);
  return { out, ...run };
}

/** All that must not depend on the workers. */
function bitsOf({ finished, steps, epochs }: TrainRun): string {
  const { weightsSha256, stateSha256, ordered } = finished;
  const losses = steps.map(({ step, loss, accuracy, rows, gradientNorm }) => [
    step,
    loss,
    accuracy,
    rows,
    gradientNorm,
  ]);
  const tests = epochs.map(({ testLoss, testAccuracy, trainLoss }) => [testLoss, testAccuracy, trainLoss]);
  return JSON.stringify({ weightsSha256, stateSha256, ordered, losses, tests });
}

const sentBytes = (run: TrainRun): number[] =>
  run.steps.map(({ workers }) => workers.reduce((sum, worker) => sum + worker.sentBytes, 0));

/** 161 training rows in 9 steps. A network with dropout and running statistics, Adam, clipping and a schedule: all that replicas have of their own. */
async function everything(folder: string): Promise<string[]> {
  const parameters = { learningrate: 0.02, optimizer: "adam", schedule: "cosine", gradientNormalizationThreshold: 0.5 };
  const plain = networkXml({ inputs: 2, hidden: [8, 25, 1, 6], outputs: 3, parameters });
  const document = join(folder, "network.xml");
  const layers = plain.replace("<ID>Hidden2<", "<ID>DropOut1<").replace("<ID>Hidden3<", "<ID>BatchNorm1<");
  await writeFile(document, layers);
  const data = await writeBlobs(folder, 201);
  return [document, "--data", data, "--epochs", "3", "--batch-size", "20", "--replicas", "4", "--accumulate", "2"];
}

describe("local-sgd", () => {
  it("gives the same bits on 1, 2 and 4 workers, through sockets and shared memory; with DiLoCo's outer optimizer", async () => {
    const job = [...IRIS, ...ROUNDS, ...DILOCO, "--epochs", "5"];
    const places = [
      ["1"],
      ["2", "--collective", "ring"],
      ["2", "--collective", "shm"],
      ["4", "--collective", "hierarchical"],
    ];
    const runs: KeptRun[] = [];
    for (const workers of places) runs.push(await train([...job, "--workers", ...workers]));
    const [one, two, , four] = runs;
    expect(new Set(runs.map(bitsOf)).size).toBe(1);
    expect(one?.finished).toMatchObject({ steps: 5 * STEPS_PER_EPOCH, ordered: true });
    // In each epoch, rounds of 3, 3 and 1 steps; nothing is sent but where one ends.
    for (const run of [two, four]) {
      if (run === undefined) throw new Error("four runs expected");
      const ends = sentBytes(run).flatMap((bytes, index) => (bytes > 0 ? [1 + (index % STEPS_PER_EPOCH)] : []));
      expect(ends).toEqual(Array.from({ length: 5 }, () => [3, 6, 7]).flat());
    }
    const plain = await train([...IRIS, ...ROUNDS, "--epochs", "5"]);
    expect(plain.finished.weightsSha256).not.toBe(one?.finished.weightsSha256);
  });

  it("with Adam, dropout, batch norm, clipping, accumulation and a schedule: any workers; goes on from a round's end", async () => {
    const folder = await temporaryDirectory();
    const job = [...(await everything(folder)), ...ROUNDS, "--outer-learning-rate", "0.9"];
    const often = ["--checkpoint-steps", "4", "--keep-checkpoints", "100"];
    const whole = await train([...job, "--workers", "2", ...often, "--block-hashes", "step"]);
    const traced = [...job, "--block-hashes", "step"];
    const alone = await train([...traced, "--workers", "1"]);
    expect(bitsOf(alone)).toBe(bitsOf(whole));
    for (const { gradientNorm } of whole.steps) expect(gradientNorm).toBeGreaterThan(0);
    const compared = await runCommand(["diff", alone.out, whole.out]);
    expect(compared).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("identical, up to epoch 3") });

    const saved = whole.events.filter((event) => event.event === "checkpoint");
    const inside = saved.filter(({ endsEpoch }) => !endsEpoch);
    expect(inside.length).toBeGreaterThan(1);
    for (const { step } of inside) expect((step % 9) % 3).toBe(0);
    const { file = "", step = 0 } = inside.at(-1) ?? {};
    const resumed = await train([...traced, "--workers", "4", "--resume", file]);
    expect(resumed.steps[0]?.step).toBe(step + 1);
    const { weightsSha256, stateSha256, testLoss, trainLoss } = resumed.finished;
    expect(whole.finished).toMatchObject({ weightsSha256, stateSha256, testLoss, trainLoss });
  });

  it("with an exchange in every step is what sync computes, up to rounding", async () => {
    const sync = await train([...IRIS, "--epochs", "4"]);
    const often = await train([...IRIS, "--epochs", "4", "--strategy", "local-sgd", "--sync-every", "1"]);
    expect(often.finished.weightsSha256).not.toBe(sync.finished.weightsSha256);
    for (const [index, { loss }] of sync.steps.entries()) expect(often.steps[index]?.loss).toBeCloseTo(loss, 5);
    expect(often.finished.testLoss).toBeCloseTo(sync.finished.testLoss ?? Number.NaN, 5);
  });

  it("a replica that diverges ends the job by its name, whichever worker has it", async () => {
    const folder = await temporaryDirectory();
    const data = join(folder, "rows.csv");
    await writeFile(
      data,
      Array.from({ length: 64 }, (_, row) => `${row % 7},${row % 5},${1e6 * (row % 3)}\n`).join(""),
    );
    const document = join(folder, "network.xml");
    const parameters = { learningrate: 1e6, optimizer: "sgd", iterations: 9 };
    const network = { inputs: 2, hidden: [3], outputs: 1, problem: "Approximators", parameters } as const;
    await writeFile(document, networkXml({ ...network, parameters: { ...parameters, activationfunction: "linear" } }));
    const args = [
      document,
      "--data",
      data,
      "--test-split",
      "0",
      "--batch-size",
      "8",
      "--replicas",
      "2",
      "--workers",
      "2",
    ];
    const places = ["--data-dir", join(folder, "cache"), "--out", join(folder, "out")];
    const { end, failed } = await runFailingTrain([...args, ...ROUNDS, ...places]);
    expect([end.exitCode, failed.code]).toEqual([5, "NOT_FINITE"]);
    expect(failed.message).toMatch(/replica [01]\b.*Lower the learning rate/);
  });
});
