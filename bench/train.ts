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
import { z } from "zod";
import { filePath, wholeNumber } from "../shared/cli/option-table.js";
import { ENGINE_NAMES } from "../shared/engine-name.js";
import { aboveZero, benchOptions, listOf, namesOf } from "./support/bench-options.js";
import { machineFacts } from "./support/machine-facts.js";
import { stepChart } from "./train/chart-of-steps.js";
import type { ContenderPlan } from "./train/contender.js";
import { LEAST_MEMORY_STEPS, type MemoryResult, measureMemory } from "./train/measure-memory.js";
import { NETWORKS, type NetworkName, network, OPTIMIZERS, type OptimizerName, optimizer } from "./train/networks.js";
import { ourEngine } from "./train/our-engines.js";
import { findPeers, installPeers, peersDirectory } from "./train/peers.js";
import { type CaseResult, runCase } from "./train/run-case.js";
import { generateDigits, readDigits, writeWorkload } from "./train/workload.js";

const values = benchOptions({
  name: "train",
  describe:
    "How long does a whole training step take, and how long elsewhere? Our engines against PyTorch and Keras, where they are installed, in bursts that take turns, from the same parameters on the same rows. Linux only (taskset). One line of JSON; exit code 1 when losses differ.",
  options: {
    data: {
      describe: "IDX images with their labels beside them; else generated rows",
      schema: filePath,
      placeholder: "FILE",
    },
    engines: {
      describe: `Ours: some of ${ENGINE_NAMES.join(", ")}, or none`,
      schema: z
        .literal("")
        .transform(() => [])
        .or(namesOf(ENGINE_NAMES)),
      placeholder: "NAME,…",
      default: "tensorflow,wasm",
    },
    networks: {
      describe: `Some of ${NETWORKS.join(", ")}`,
      schema: namesOf(NETWORKS),
      placeholder: "NAME,…",
      default: NETWORKS.join(),
    },
    optimizers: {
      describe: `Some of ${OPTIMIZERS.join(", ")}`,
      schema: namesOf(OPTIMIZERS),
      placeholder: "NAME,…",
      default: OPTIMIZERS.join(),
    },
    "batch-size": { describe: "Rows of a step", schema: wholeNumber(1), placeholder: "N", default: "100" },
    threads: {
      describe: "Cases: as many cores, and threads of each contender",
      schema: listOf(wholeNumber(1)),
      placeholder: "N,…",
      default: "1,2",
    },
    "first-core": { describe: "The first of these cores", schema: wholeNumber(0), placeholder: "N", default: "0" },
    rounds: { describe: "In which contenders alternate", schema: wholeNumber(1), placeholder: "N", default: "7" },
    "burst-ms": { describe: "Of a turn", schema: aboveZero, placeholder: "N", default: "1500" },
    peers: {
      describe: "A virtual environment in which peers are looked for, beside the system's Python",
      schema: filePath,
      placeholder: "DIR",
      default: peersDirectory(),
    },
    "no-peers": { describe: "The product alone" },
    "install-peers": { describe: "Install PyTorch and Keras into that environment, instead of measuring" },
    svg: { describe: "Where the result is drawn", schema: filePath, placeholder: "FILE" },
    memory: { describe: "Instead of comparing: resident memory of our engines after every thousand of --steps" },
    steps: { describe: "With --memory", schema: wholeNumber(LEAST_MEMORY_STEPS), placeholder: "N", default: "10000" },
  },
  examples: [
    ["--install-peers", "PyTorch and Keras; several gigabytes."],
    ["--data MNIST/train10k-images-idx3-ubyte.gz --svg docs/images/training-step.svg", ""],
    ["--memory --steps 10000", "Does memory grow?"],
  ],
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
  const own = values.engines;
  const { plans: peers, skipped } = values["no-peers"] ? { plans: [], skipped: [] } : await findPeers(values.peers);
  for (const reason of skipped) process.stderr.write(`skipped: ${reason}\n`);
  const plans = [...own.map(ourEngine), ...peers];
  const cases: MeasuredCase[] = [];
  for (const threads of values.threads)
    for (const network of values.networks)
      for (const optimizer of values.optimizers)
        cases.push(await measured({ network, optimizer, threads, plans, own }));
  const complaints = cases.flatMap((one) => one.complaints.map((text) => `${one.network}, ${one.optimizer}: ${text}`));
  const result = { bench: "train", machine: machineFacts(), ...common(), skipped, cases, complaints };
  process.stdout.write(`${JSON.stringify(result)}\n`);
  if (values.svg !== undefined) await writeFile(values.svg, stepChart({ cases, own, batchSize: values["batch-size"] }));
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
  const first = values["first-core"];
  const result = await runCase({
    workloadPath: await workload(network, optimizer),
    plans: plans.filter(({ mostThreads }) => mostThreads >= threads),
    own,
    cores: Array.from({ length: threads }, (_, index) => first + index),
    rounds: values.rounds,
    burstMs: values["burst-ms"],
  });
  const figures = result.figures.map(({ name, stepMs, cpuMsPerStep }) => {
    return `${name} ${stepMs.toFixed(2)} (${cpuMsPerStep.toFixed(2)})`;
  });
  const what = `${network}, ${optimizer}, ${threads} thread${threads === 1 ? "" : "s"}`;
  process.stderr.write(`${what}: ms per step (of processor time): ${figures.join(", ")}\n`);
  return { network, optimizer, threads, ...result };
}

async function reportMemory(): Promise<void> {
  const { steps } = values;
  const results: (MemoryResult & { readonly engine: string; readonly network: NetworkName })[] = [];
  for (const engine of values.engines)
    for (const network of values.networks) {
      const plan = ourEngine(engine);
      const workloadPath = await workload(network, "adam");
      results.push({
        engine,
        network,
        ...(await measureMemory({ plan, workloadPath, core: values["first-core"], steps })),
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
  return { batchSize: values["batch-size"], data: values.data ?? "generated" };
}

async function workload(name: NetworkName, rule: OptimizerName): Promise<string> {
  const { data } = values;
  const rows = join(folder, "rows");
  const dataset = data === undefined ? await generateDigits(folder) : await readDigits(data, rows);
  const [model, batchSize] = [network(name), values["batch-size"]];
  return await writeWorkload(join(folder, `${name}-${rule}`), {
    model,
    optimizer: optimizer(rule),
    batchSize,
    dataset,
  });
}
