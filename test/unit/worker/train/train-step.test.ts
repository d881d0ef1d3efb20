import { describe, expect, it } from "vitest";
import { arenaLayout, blockPlan } from "../../../../shared/arena-layout.js";
import { SCALARS, VOTES } from "../../../../shared/scalar-count.js";
import { PLAIN_STEP } from "../../../../shared/step-rules.js";
import { createLocalCollective } from "../../../../worker/collective/create-collective.js";
import { ProgressBoard } from "../../../../worker/communication/progress-board.js";
import { compileKernels, instantiateKernels } from "../../../../worker/kernels/load-kernels.js";
import { SharedMemory } from "../../../../worker/kernels/shared-memory.js";
import { CommitGate } from "../../../../worker/optimizer/commit-gate.js";
import { createOptimizer } from "../../../../worker/optimizer/create-optimizer.js";
import { allocateArenas, viewTotals } from "../../../../worker/train/arenas.js";
import { ReplicaStates } from "../../../../worker/train/replica-states.js";
import { trainStep } from "../../../../worker/train/train-step.js";
import type { TrainingContext } from "../../../../worker/train/training-context.js";

/** A replica's part of a step: what its rows' gradients, and behind them the moments of a statistic, sum up to. */
interface Slice {
  readonly rows: number;
  readonly gradients: readonly number[];
  readonly moments: number;
}

const NOTHING: Slice = { rows: 0, gradients: [], moments: 0 };
const still = (rows: number): Slice => ({ rows, gradients: [], moments: 0 });
const LEARNING_RATE = 0.5;
/** Two steps in each epoch, of 8 rows and of 1. */
const [BATCH, ROWS] = [8, 9];
const layout = arenaLayout(
  [{ name: "kernel", layer: 0, shape: [16], initial: { kind: "constant", value: 0 } }],
  [{ name: "mean", layer: 0, shape: [1], initial: { kind: "constant", value: 0 }, momentum: 0 }],
);

/** Two replicas of a worker that send one of 16 gradients. @returns by step: the parameters, then the statistic */
async function train(steps: readonly (readonly [Slice, Slice])[], clipNorm: number | null = null): Promise<number[][]> {
  const memory = new SharedMemory();
  const kernels = instantiateKernels(await compileKernels(), memory.memory);
  const blocks = blockPlan(layout.paddedLength, 2);
  const demand = { layout, blocks, localReplicas: 2, stateArenas: 0, topk: 1, scalarCount: SCALARS + VOTES };
  const arenas = allocateArenas(memory, demand);
  const membership = { generation: 1, rank: 0, worldSize: 1, replicas: 2 };
  const exchange = { membership, buffers: arenas.exchange, memory: memory.memory, kernels };
  await using collective = createLocalCollective(exchange);
  const gate = new CommitGate(layout.paddedLength);
  let sequence = 0;
  const optimizer = { kind: "sgd", learningRate: LEARNING_RATE } as const;
  const context = {
    spec: {
      ...{ optimizer, batchSize: BATCH, epochs: 9, dataset: { train: { rowCount: ROWS } } },
      stepRules: { ...PLAIN_STEP, clipNorm, payload: { format: "topk", fraction: 1 / 16 } },
    },
    ...{ generation: 1, rank: 0, localReplicas: [0, 1], arenas, kernels, gate, collective },
    // What is tested begins with the sums that an engine gives.
    engine: {
      loadParameters: () => undefined,
      computeGradients: ({ rows, gradients, moments }: Slice, _: unknown, into: Float32Array) => {
        into.fill(0);
        into.set(gradients);
        into[layout.trainableLength] = moments;
        return Promise.resolve({ lossSum: 0, correct: 0, absoluteErrorSum: 0, count: rows });
      },
    },
    batches: {
      next: ({ step, replica }: { readonly step: number; readonly replica: number }) => {
        const slice = steps[step - 1]?.[replica] ?? NOTHING;
        return Promise.resolve(slice.rows === 0 ? null : slice);
      },
    },
    ...{ optimizer: createOptimizer(optimizer, kernels), board: new ProgressBoard() },
    totals: viewTotals(memory, arenas, collective.totals),
    replicaStates: new ReplicaStates([0, 1].map((replica) => ({ replica, index: replica }))),
    ...{ pushPull: null, rounds: null, lossScaler: null, trace: null, updatesUpTo: null },
    ...{ signal: new AbortController().signal, nextSequence: () => sequence++ },
  } as unknown as TrainingContext;
  const results: number[][] = [];
  for (const at of steps.keys()) {
    await trainStep(context, { epoch: 1 + Math.floor(at / 2), step: at + 1 });
    const { values } = arenas.parameters[gate.current];
    results.push([...values.slice(0, 4), values[layout.trainableLength] ?? Number.NaN]);
  }
  return results;
}

describe("trainStep with top-k", () => {
  it("gives a gradient that comes late the weight of its own step, whichever step it comes in", async () => {
    const results = await train([
      // Of 8 rows: what is not sent is the second gradient, 8 + 6.
      [
        { rows: 4, gradients: [16, 8], moments: 12 },
        { rows: 4, gradients: [-24, 6], moments: 4 },
      ],
      // It comes in a step of one row, which has no gradient.
      [{ rows: 1, gradients: [], moments: 3 }, NOTHING],
      [still(4), still(4)],
      // A step of one row sends what is largest in it, and keeps the rest …
      [{ rows: 1, gradients: [0, 0, 3, 2], moments: 0 }, NOTHING],
      // … for a step of eight.
      [still(4), still(4)],
    ]);
    const moved = (first: number, second: number, third: number, fourth: number): number[] =>
      // -0, of an update by +0, is 0 here.
      [first, second, third, fourth].map((mean) => 0 - LEARNING_RATE * mean);
    expect(results.map((values) => values.slice(0, 4).map((value) => value + 0))).toEqual([
      moved(-1, 0, 0, 0),
      moved(-1, 14 / 8, 0, 0),
      moved(-1, 14 / 8, 0, 0),
      moved(-1, 14 / 8, 3, 0),
      moved(-1, 14 / 8, 3, 2),
    ]);
    // Moments are of the step's own rows: they are never late.
    expect(results.map((values) => values[4])).toEqual([2, 3, 0, 0, 0]);
  });

  it("clips a short step by the length of what it moves", async () => {
    const short: Slice = { rows: 1, gradients: [3], moments: 0 };
    const [, parameters] = await train(
      [
        [still(4), still(4)],
        [short, NOTHING],
      ],
      1,
    );
    expect(parameters?.[0]).toBeCloseTo(-LEARNING_RATE, 6);
  });
});
