/**
 * One of our engines as a contender: `our-steps.js WORKLOAD.json ENGINE THREADS`. Runs as many steps as each line on stdin says, by the
 * trainer's own `trainStep` with one replica: rows read from their file, gradients into the arena, the ordered fold, the optimizer,
 * the checks for NaN and the commit.
 */
import { readFile } from "node:fs/promises";
import process from "node:process";
import { createInterface } from "node:readline";
import { blockPlan, layoutOf } from "../../shared/arena-layout.js";
import { type JobSpec, JobSpecSchema } from "../../shared/job-spec.js";
import { PLAIN_STEP } from "../../shared/step-rules.js";
import { createLocalCollective } from "../../worker/collective/create-collective.js";
import { ProgressBoard } from "../../worker/communication/progress-board.js";
import { createEngine } from "../../worker/engine/create-engine.js";
import { writeInitialParameters } from "../../worker/engine/initial-parameters.js";
import { FaultPlan } from "../../worker/fault/fault-plan.js";
import { compileKernels, instantiateKernels } from "../../worker/kernels/load-kernels.js";
import { SharedMemory } from "../../worker/kernels/shared-memory.js";
import { CommitGate } from "../../worker/optimizer/commit-gate.js";
import { createOptimizer } from "../../worker/optimizer/create-optimizer.js";
import { allocateArenas, viewTotals } from "../../worker/train/arenas.js";
import { MicroBatchStream } from "../../worker/train/micro-batch-stream.js";
import { trainStep } from "../../worker/train/train-step.js";
import type { TrainingContext } from "../../worker/train/training-context.js";
import type { Burst, Ready } from "./contender-messages.js";
import { SEED, type Workload } from "./workload.js";

/** More than any burst can reach. */
const ENDLESS = 1_000_000;

const [workloadPath, engineName, threads] = process.argv.slice(2);
if (workloadPath === undefined || engineName === undefined) throw new Error("usage: WORKLOAD.json ENGINE THREADS");
const workload = JSON.parse(await readFile(workloadPath, "utf8")) as Workload;
await compete(jobOf(workload, engineName, Number(threads)));

function jobOf({ model, optimizer, batchSize, dataset }: Workload, engine: string, count: number): JobSpec {
  const rowCount = dataset.train.rowCount - (dataset.train.rowCount % batchSize);
  return JobSpecSchema.parse({
    jobId: "bench-train",
    seed: SEED,
    replicas: 1,
    threads: count,
    engine,
    model,
    optimizer,
    stepRules: PLAIN_STEP,
    epochs: ENDLESS,
    batchSize,
    lossThreshold: null,
    dataset: { ...dataset, train: { ...dataset.train, rowCount } },
    evaluateEvery: ENDLESS,
    blockHashes: "epoch",
  });
}

async function compete(spec: JobSpec): Promise<void> {
  const memory = new SharedMemory();
  const kernels = instantiateKernels(await compileKernels(), memory.memory);
  const layout = layoutOf(spec.model);
  const optimizer = createOptimizer(spec.optimizer, kernels);
  const stateArenas = optimizer.stateNames.length;
  const blocks = blockPlan(layout.paddedLength, 1);
  const arenas = allocateArenas(memory, { layout, blocks, localReplicas: 1, stateArenas, isOnlyReplica: true });
  for (const copy of arenas.parameters) writeInitialParameters(layout, spec.seed, copy.values);
  const report = (text: string) => process.stderr.write(`${text}\n`);
  const settings = { seed: spec.seed, threads: spec.threads, report };
  await using engine = await createEngine(spec.engine, spec.model, layout, settings);
  await using batches = MicroBatchStream.open(spec, [0]);
  const membership = { generation: 0, rank: 0, worldSize: 1, replicas: 1 };
  const exchange = { membership, buffers: arenas.exchange, memory: memory.memory, kernels };
  await using collective = createLocalCollective(exchange);
  let sequence = 0;
  await answer({
    ...{ spec, generation: 0, rank: 0, localReplicas: [0], arenas, engine, optimizer, collective, kernels, batches },
    totals: viewTotals(memory, arenas, collective.totals),
    gate: new CommitGate(layout.paddedLength),
    board: new ProgressBoard(),
    faults: new FaultPlan([], () => undefined),
    signal: new AbortController().signal,
    nextSequence: () => sequence++,
    lossScaler: null,
    rounds: null,
    replicaStates: null,
    trace: null,
    pushPull: null,
    updatesUpTo: null,
  });
}

/** A burst of steps for every line of input, until there is no more. */
async function answer(context: TrainingContext): Promise<void> {
  const { name, version, instructionSet } = context.engine.identity;
  say({ library: `Ringstrasse ${name}`, version, variant: instructionSet });
  const { dataset, batchSize } = context.spec;
  const stepsPerEpoch = dataset.train.rowCount / batchSize;
  let step = 0;
  for await (const line of createInterface({ input: process.stdin })) {
    const losses: number[] = [];
    const stepMs: number[] = [];
    const cpuBefore = process.cpuUsage();
    let before = performance.now();
    for (let left = Number(line); left > 0; left--) {
      step++;
      const { totals } = await trainStep(context, { epoch: Math.ceil(step / stepsPerEpoch), step });
      const now = performance.now();
      losses.push(totals.lossSum / totals.count);
      stepMs.push(now - before);
      before = now;
    }
    const cpu = process.cpuUsage(cpuBefore);
    const cpuMs = (cpu.user + cpu.system) / 1000;
    say({ losses, stepMs, cpuMs, residentBytes: process.memoryUsage.rss() });
  }
}

function say(message: Ready | Burst): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
