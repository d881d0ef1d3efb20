/**
 * Does failure detection keep quiet where nothing has failed? Trains again and again, on 2 and on 4 workers, for `--minutes` (10)
 * while every core has to serve two processes that do nothing but compute. Any failure, any other end than `finished`, and any
 * difference between the weights of two equal jobs is a false alarm (or worse) and ends with exit code 1.
 *
 *     npm run bench:false-alarms -- --minutes 10
 */
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { filePath, wholeNumber } from "../shared/cli/option-table.js";
import { aboveZero, benchOptions } from "./support/bench-options.js";
import { BusyCores } from "./support/busy-cores.js";
import { exitOnSignals } from "./support/exit-on-signals.js";
import { machineFacts } from "./support/machine-facts.js";
import { startTraining, type TrainOutcome } from "./support/train-process.js";

const WORKER_COUNTS = [2, 4];

interface Alarm {
  readonly run: number;
  readonly workers: number;
  readonly what: unknown;
}

exitOnSignals();
const values = benchOptions({
  name: "false-alarms",
  describe:
    "Does failure detection keep quiet where nothing has failed? Trains again and again, on 2 and on 4 workers, while every core has to serve two processes that do nothing but compute. One line of JSON; exit code 1 when anything failed, or two equal jobs have different weights.",
  options: {
    minutes: { describe: "How long", schema: aboveZero, placeholder: "N", default: "10" },
    epochs: { describe: "Of each training", schema: wholeNumber(1), placeholder: "N", default: "60" },
    document: {
      describe: "What is trained",
      schema: filePath,
      placeholder: "FILE",
      default: "examples/digits/digits.xml",
    },
    data: { describe: "Its rows", schema: filePath, placeholder: "FILE", default: "examples/digits/digits.csv" },
  },
  examples: [["--minutes 1 --epochs 20", "A short look."]],
});
const durationMs = values.minutes * 60_000;

const out = await mkdtemp(join(tmpdir(), "ringstrasse-false-alarms-"));
try {
  const result = await soak(out);
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exitCode = result.alarms.length === 0 ? 0 : 1;
} finally {
  await rm(out, { recursive: true, force: true });
}

async function soak(folder: string): Promise<{ alarms: readonly Alarm[] } & Record<string, unknown>> {
  const busyProcesses = 2 * availableParallelism();
  await using _load = new BusyCores(busyProcesses);
  const alarms: Alarm[] = [];
  const hashes = new Set<string>();
  const began = performance.now();
  let runs = 0;
  let steps = 0;
  let warnings = 0;
  // At least one run on each number of workers, however short the time.
  while (performance.now() - began < durationMs || runs < WORKER_COUNTS.length) {
    const workers = WORKER_COUNTS[runs % WORKER_COUNTS.length] ?? 2;
    runs++;
    const outcome = await trainOnce(folder, workers, runs);
    steps += outcome.steps;
    warnings += outcome.warnings.length;
    if (outcome.exitCode === 0 && outcome.last?.event === "finished") hashes.add(outcome.last.weightsSha256);
    else alarms.push({ run: runs, workers, what: outcome.last ?? outcome.stderrTail });
    if (hashes.size > 1)
      alarms.push({ run: runs, workers, what: `other weights than before: ${[...hashes].join(", ")}` });
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    process.stderr.write(`${seconds} s: ${runs} runs, ${steps} steps, ${alarms.length} false alarms\n`);
  }
  const minutes = (performance.now() - began) / 60_000;
  return { bench: "false-alarms", machine: machineFacts(), busyProcesses, minutes, runs, steps, warnings, alarms };
}

function trainOnce(folder: string, workers: number, runs: number): Promise<TrainOutcome> {
  // Four replicas on any number of workers: the same job, hence the same weights.
  return startTraining([
    values.document,
    `--data=${values.data}`,
    `--workers=${workers}`,
    "--replicas=4",
    // The same in every run, also when another engine is installed meanwhile.
    "--engine=wasm",
    `--epochs=${values.epochs}`,
    `--out=${join(folder, `run-${runs}`)}`,
    `--data-dir=${join(folder, "rows")}`,
  ]).outcome;
}
