/**
 * How long does a whole training step take, and how long elsewhere? Our engines against PyTorch and Keras, where they are installed: rows
 * gathered, forward, loss, backward, optimizer and the loss read out, on both sides, from the same parameters on the same rows, which the
 * losses of the first steps prove. Contenders take turns, in bursts of steps, on one core and on two; medians, and ratios within a round.
 * One line of JSON on stdout; `--svg FILE` draws it. Ends with exit code 1 when losses differ. Linux only (taskset).
 *
 *     npm run bench:train -- --install-peers                  # PyTorch and Keras, into a virtual environment
 *     npm run bench:train -- --data MNIST/train10k-images-idx3-ubyte.gz --svg docs/images/training-step.svg
 *     npm run bench:train -- --memory --steps 10000           # does memory grow?
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { chosen } from "./support/chosen.js";
import { machineFacts } from "./support/machine-facts.js";
import { stepChart } from "./train/chart-of-steps.js";
import type { ContenderPlan } from "./train/contender.js";
import { type MemoryResult, measureMemory } from "./train/measure-memory.js";
import { NETWORKS, type NetworkName, network, OPTIMIZERS, type OptimizerName, optimizer } from "./train/networks.js";
import { ourEngine } from "./train/our-engines.js";
import { findPeers, installPeers, peersDirectory } from "./train/peers.js";
import { type CaseResult, runCase } from "./train/run-case.js";
import { generateDigits, readDigits, writeWorkload } from "./train/workload.js";

const { values } = parseArgs({
  options: {
    /** IDX images with their labels beside them; absent: generated rows. */
    data: { type: "string" },
    engines: { type: "string", default: "tensorflow,wasm" },
    networks: { type: "string", default: NETWORKS.join() },
    optimizers: { type: "string", default: OPTIMIZERS.join() },
    "batch-size": { type: "string", default: "100" },
    /** Cases: as many cores, and threads of each contender, `--first-core` being the first. */
    threads: { type: "string", default: "1,2" },
    "first-core": { type: "string", default: "0" },
    rounds: { type: "string", default: "7" },
    "burst-ms": { type: "string", default: "1500" },
    /** A virtual environment in which peers are looked for, beside the system's Python. */
    peers: { type: "string", default: peersDirectory() },
    "no-peers": { type: "boolean", default: false },
    "install-peers": { type: "boolean", default: false },
    svg: { type: "string" },
    /** Instead of comparing: resident memory of our engines after every thousand of `--steps`. */
    memory: { type: "boolean", default: false },
    steps: { type: "string", default: "10000" },
  },
});

export interface MeasuredCase extends CaseResult {
  readonly network: NetworkName;
  readonly optimizer: OptimizerName;
  readonly threads: number;
}

const folder = await mkdtemp(join(tmpdir(), "ringstrasse-bench-train-"));
try {
  if (values["install-peers"]) await installPeers(values.peers);
  else if (values.memory) await reportMemory();
  else await reportSteps();
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function reportSteps(): Promise<void> {
  const own = values.engines.split(",").filter((name) => name !== "");
  const { plans: peers, skipped } = values["no-peers"] ? { plans: [], skipped: [] } : await findPeers(values.peers);
  for (const reason of skipped) process.stderr.write(`skipped: ${reason}\n`);
  const plans = [...own.map(ourEngine), ...peers];
  const cases: MeasuredCase[] = [];
  for (const threads of values.threads.split(",").map(Number))
    for (const network of chosen(values.networks, NETWORKS))
      for (const optimizer of chosen(values.optimizers, OPTIMIZERS))
        cases.push(await measured({ network, optimizer, threads, plans, own }));
  const complaints = cases.flatMap((one) => one.complaints.map((text) => `${one.network}, ${one.optimizer}: ${text}`));
  const result = { bench: "train", machine: machineFacts(), ...common(), skipped, cases, complaints };
  process.stdout.write(`${JSON.stringify(result)}\n`);
  if (values.svg !== undefined)
    await writeFile(values.svg, stepChart({ cases, own, batchSize: Number(values["batch-size"]) }));
  if (complaints.length > 0) process.exitCode = 1;
}

interface ToMeasure {
  readonly network: NetworkName;
  readonly optimizer: OptimizerName;
  readonly threads: number;
  readonly plans: readonly ContenderPlan[];
  readonly own: readonly string[];
}

async function measured({ network, optimizer, threads, plans, own }: ToMeasure): Promise<MeasuredCase> {
  const first = Number(values["first-core"]);
  const result = await runCase({
    workloadPath: await workload(network, optimizer),
    plans: plans.filter(({ mostThreads }) => mostThreads >= threads),
    own,
    cores: Array.from({ length: threads }, (_, index) => first + index),
    rounds: Number(values.rounds),
    burstMs: Number(values["burst-ms"]),
  });
  const figures = result.figures.map(({ name, stepMs, cpuMsPerStep }) => {
    return `${name} ${stepMs.toFixed(2)} (${cpuMsPerStep.toFixed(2)})`;
  });
  const what = `${network}, ${optimizer}, ${threads} thread${threads === 1 ? "" : "s"}`;
  process.stderr.write(`${what}: ms per step (of processor time): ${figures.join(", ")}\n`);
  return { network, optimizer, threads, ...result };
}

async function reportMemory(): Promise<void> {
  const steps = Number(values.steps);
  const results: (MemoryResult & { readonly engine: string; readonly network: NetworkName })[] = [];
  for (const engine of values.engines.split(","))
    for (const network of chosen(values.networks, NETWORKS)) {
      const plan = ourEngine(engine);
      const workloadPath = await workload(network, "adam");
      results.push({
        engine,
        network,
        ...(await measureMemory({ plan, workloadPath, core: Number(values["first-core"]), steps })),
      });
    }
  const complaints = results.flatMap(({ engine, network, complaint }) =>
    complaint === null ? [] : [`${engine}, ${network}: ${complaint}`],
  );
  const result = { bench: "train-memory", machine: machineFacts(), ...common(), results, complaints };
  process.stdout.write(`${JSON.stringify(result)}\n`);
  if (complaints.length > 0) process.exitCode = 1;
}

function common(): object {
  return { batchSize: Number(values["batch-size"]), data: values.data ?? "generated" };
}

async function workload(name: NetworkName, rule: OptimizerName): Promise<string> {
  const { data } = values;
  const rows = join(folder, "rows");
  const dataset = data === undefined ? await generateDigits(folder) : await readDigits(data, rows);
  const [model, batchSize] = [network(name), Number(values["batch-size"])];
  return await writeWorkload(join(folder, `${name}-${rule}`), {
    model,
    optimizer: optimizer(rule),
    batchSize,
    dataset,
  });
}
