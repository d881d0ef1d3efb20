import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { arenaLayout, blockPlan, blockSpan } from "../../shared/arena-layout.js";
import { type ModelSpec, parametersOf } from "../../shared/model-spec.js";
import type { StepEvent } from "../../shared/train-events.js";
import { FoldSchedule } from "../../worker/collective/fold-schedule.js";
import { runTrain, type TrainRun } from "../support/run-command.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { writeBlobs, writeNetwork } from "../support/training-data.js";

const ROWS = 1009;
const BATCH_SIZE = 37;
const EPOCHS = 2;
/** 27 whole steps and one of 10 rows. */
const STEPS_PER_EPOCH = 28;
/** Loss, right rows, absolute error, rows: float64 each. */
const SCALAR_BLOCK_BYTES = 4 * 8;

const MODEL: ModelSpec = {
  inputs: 2,
  layers: [
    { kind: "dense", name: "Hidden1", units: 31, activation: "tanh", initialBias: 0 },
    { kind: "dense", name: "Hidden2", units: 9, activation: "tanh", initialBias: 0 },
    { kind: "dense", name: "Output1", units: 3, activation: "softmax", initialBias: 0 },
  ],
  loss: "softmaxCrossEntropy",
  targets: { kind: "class", classes: 3 },
};

async function trainOn(workers: number, replicas: number): Promise<TrainRun> {
  const folder = await temporaryDirectory();
  const data = await writeBlobs(folder, ROWS);
  const parameters = {
    activationfunction: "tanh",
    epochs: EPOCHS,
    batchsize: BATCH_SIZE,
    testsplit: 0,
    learningrate: 0.2,
  };
  const document = await writeNetwork(folder, { inputs: 2, hidden: [31, 9], outputs: 3, parameters });
  const sizes = ["--workers", `${workers}`, "--replicas", `${replicas}`];
  const places = ["--data-dir", join(folder, "rows"), "--out", join(folder, "run")];
  return await runTrain([document, "--data", data, "--collective", "ring", ...sizes, ...places]);
}

/** Payload bytes of the scalar block and of each arena block, in the order of the exchange. */
function blockBytes(replicas: number): number[] {
  const plan = blockPlan(arenaLayout(parametersOf(MODEL)).paddedLength, replicas);
  const arena = Array.from({ length: plan.blockCount }, (_, index) => {
    const { from, to } = blockSpan(plan, index);
    return 4 * (to - from);
  });
  return [SCALAR_BLOCK_BYTES, ...arena];
}

function rowsOfStep(step: number): number {
  return step % STEPS_PER_EPOCH === 0 ? ROWS - (STEPS_PER_EPOCH - 1) * BATCH_SIZE : BATCH_SIZE;
}

/** What holds for every division: each step once and in order, each row once an epoch, each replica on one worker. */
function expectWholeSteps({ steps, epochs }: TrainRun, arcs: readonly (readonly number[])[]): void {
  const total = EPOCHS * STEPS_PER_EPOCH;
  expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: total }, (_, index) => index + 1));
  expect(steps.map(({ epoch }) => epoch)).toEqual(
    Array.from({ length: total }, (_, index) => 1 + Math.floor(index / STEPS_PER_EPOCH)),
  );
  for (const { step, rows, workers } of steps) {
    expect(workers.map(({ rank }) => rank)).toEqual(arcs.map((_, rank) => rank));
    expect(workers.map(({ replicas }) => replicas)).toEqual(arcs);
    expect(rows).toBe(rowsOfStep(step));
    expect(workers.reduce((sum, worker) => sum + worker.rows, 0)).toBe(rows);
  }
  expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2]);
  for (const epoch of epochs) {
    const own = steps.filter((step) => step.epoch === epoch.epoch);
    expect(epoch.trainLoss).toBeCloseTo(
      rowMean(own, ({ loss }) => loss),
      12,
    );
    expect(epoch.trainAccuracy).toBeCloseTo(
      rowMean(own, ({ accuracy }) => accuracy ?? Number.NaN),
      12,
    );
    expect(epoch.steps).toBe(own.at(-1)?.step);
  }
}

function rowMean(steps: readonly StepEvent[], figure: (step: StepEvent) => number): number {
  const rows = steps.reduce((sum, step) => sum + step.rows, 0);
  return steps.reduce((sum, step) => sum + step.rows * figure(step), 0) / rows;
}

describe("work is divided", () => {
  it("6 replicas on 3 workers: two each, a third of the rows, and the schedule's bytes", async () => {
    const run = await trainOn(3, 6);
    expectWholeSteps(run, [
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
    for (const { step, workers } of run.steps) {
      // 37 = 7 + 5 · 6 rows by replica; 10 = 4 · 2 + 2 · 1.
      expect(workers.map(({ rows }) => rows)).toEqual(rowsOfStep(step) === BATCH_SIZE ? [13, 12, 12] : [4, 4, 2]);
    }

    const bytes = blockBytes(6);
    expect(bytes.length).toBeGreaterThan(6);
    const schedule = new FoldSchedule(3, 6);
    const planned = [0, 1, 2].map((rank) => schedule.traffic(rank, bytes));
    for (const { workers } of run.steps) {
      expect(workers.map(({ sentBytes }) => sentBytes)).toEqual(planned.map(({ sentBytes }) => sentBytes));
      expect(workers.map(({ receivedBytes }) => receivedBytes)).toEqual(planned.map((plan) => plan.receivedBytes));
    }
    // Counted out: a fold that starts at the head of an arc needs 2 hops, one that starts inside it 3; 2 more tell the others.
    const counted = bytes.reduce((sum, size, block) => sum + size * (block % 2 === 0 ? 2 + 2 : 3 + 2), 0);
    expect(planned.reduce((sum, { sentBytes }) => sum + sentBytes, 0)).toBe(counted);
    expect(run.finished).toMatchObject({ workers: 3, replicas: 6, collective: "ring", ordered: true });
  });

  it("5 replicas on 2 workers: three and two", async () => {
    const run = await trainOn(2, 5);
    expectWholeSteps(run, [
      [0, 1, 2],
      [3, 4],
    ]);
    const schedule = new FoldSchedule(2, 5);
    const planned = [0, 1].map((rank) => schedule.traffic(rank, blockBytes(5)).sentBytes);
    for (const { workers } of run.steps) expect(workers.map(({ sentBytes }) => sentBytes)).toEqual(planned);
  });

  it("6 replicas on 1 worker: all of them, and nothing is sent", async () => {
    const run = await trainOn(1, 6);
    expectWholeSteps(run, [[0, 1, 2, 3, 4, 5]]);
    for (const { workers } of run.steps) expect(workers).toMatchObject([{ sentBytes: 0, receivedBytes: 0 }]);
    expect(run.finished).toMatchObject({ workers: 1, replicas: 6, collective: "local", ordered: true });
  });
});
