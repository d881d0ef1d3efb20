/**
 * Does anything grow with the steps? Iris on `--workers` (2) processes for at least `--steps` (10,000) steps, once over each way to
 * exchange: resident memory, file descriptors, sockets and shared memory of every process, sampled from /proc (Linux only) once training
 * is warm. What a process holds at most in the second half of the samples is compared with the first half. And what is left when all have
 * ended: in the folder for temporary files, which each run has to itself, and of the files of /dev/shm those that processes of the run were
 * seen with. One line of JSON on stdout; exit code 1 when something grew or stayed. A minute or two for each way.
 *
 *     npm run bench:leaks -- --exchanges ring-tcp,ring-ipc,shm,hierarchical > leaks.json
 */
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { choice, wholeNumber } from "../shared/cli/option-table.js";
import { ENGINE_NAMES } from "../shared/engine-name.js";
import { EXCHANGES, OWN_EXCHANGES, type OwnExchange } from "./scaling/own-competitor.js";
import { benchOptions, namesOf } from "./support/bench-options.js";
import { exitOnSignals } from "./support/exit-on-signals.js";
import { IRIS_DATA } from "./support/iris-jobs.js";
import { machineFacts } from "./support/machine-facts.js";
import { sampleProcessTree } from "./support/process-memory.js";
import { sampleResources, sharedFilesOf } from "./support/process-resources.js";
import { growthComplaints, type ResourceReport, ResourceTrack } from "./support/resource-track.js";
import { sampleUntil } from "./support/sample-until.js";
import { finishedLine, startTraining } from "./support/train-process.js";
import { unlessGone } from "./support/unless-gone.js";

const DOCUMENT = "examples/iris/iris.xml";
const BATCH_SIZE = 10;
const SAMPLE_EVERY_MS = 100;
/** Engines and pools have what they need by then. */
const WARM_STEPS = 1000;
const MEGABYTE = 1024 * 1024;
/** By garbage not yet collected; 8 KB forgotten in each step would make 36 MB of the 4,500 compared. A report is a file that is open for a moment. */
const TOLERATED = { residentBytes: 32 * MEGABYTE, descriptors: 2 };

exitOnSignals();
const values = benchOptions({
  name: "leaks",
  describe:
    "Does anything grow with the steps? Iris on some workers, once over each way to exchange: resident memory, file descriptors, sockets and shared memory of every process, and what is left when all have ended. A minute or two for each way; Linux only. One line of JSON; exit code 1 when something grew or stayed.",
  options: {
    exchanges: {
      describe: `Some of ${EXCHANGES.join(", ")}`,
      schema: namesOf(EXCHANGES),
      placeholder: "NAME,…",
      default: EXCHANGES.join(),
    },
    steps: {
      describe: "Of each training, at least",
      schema: wholeNumber(WARM_STEPS + 1),
      placeholder: "N",
      default: "10000",
    },
    workers: { describe: "Processes that train", schema: wholeNumber(1), placeholder: "N", default: "2" },
    engine: { describe: ENGINE_NAMES.join(", "), schema: choice(ENGINE_NAMES), placeholder: "NAME", default: "wasm" },
  },
  examples: [["--exchanges ring-tcp,ring-ipc,shm,hierarchical > leaks.json", ""]],
});

interface LeakResult {
  readonly exchange: OwnExchange;
  readonly steps: number;
  readonly samples: number;
  readonly reports: readonly ResourceReport[];
  readonly complaints: readonly string[];
}

const folder = await mkdtemp(join(tmpdir(), "ringstrasse-leaks-"));
try {
  const results: LeakResult[] = [];
  for (const exchange of values.exchanges) {
    const result = await watched(exchange);
    results.push(result);
    process.stderr.write(`${exchange}: ${result.steps} steps, ${result.samples} samples: ${verdict(result)}\n`);
  }
  const complaints = results.flatMap((result) => result.complaints.map((text) => `${result.exchange}: ${text}`));
  const setting = { workers: values.workers, engine: values.engine, tolerated: TOLERATED };
  process.stdout.write(
    `${JSON.stringify({ bench: "leaks", machine: machineFacts(), ...setting, results, complaints })}\n`,
  );
  if (complaints.length > 0) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function watched(exchange: OwnExchange): Promise<LeakResult> {
  const temporary = join(folder, exchange);
  await mkdir(temporary);
  const before = await sharedSegments();
  /** Files of /dev/shm that processes of this run were seen with: others' come and go meanwhile. */
  const shared = new Set<string>();
  const track = new ResourceTrack();
  let step = 0;
  let samples = 0;
  const onEvent = ({ event }: { readonly event: string }): void => {
    if (event === "step") step++;
  };
  const training = startTraining(argsOf(exchange), { environment: { ["TMPDIR"]: temporary }, onEvent });
  const stop = new AbortController();
  const sampling = sampleUntil(stop.signal, SAMPLE_EVERY_MS, async () => {
    const processes = await sampleProcessTree(training.pid);
    for (const { pid } of processes) for (const name of await sharedFilesOf(pid)) shared.add(name);
    if (step < WARM_STEPS || step >= values.steps) return;
    samples++;
    for (const { pid, role, residentBytes } of processes) {
      const held = await sampleResources(pid);
      if (held !== null) track.add(pid, role, { residentBytes, ...held });
    }
  });
  const outcome = await training.outcome.finally(() => stop.abort());
  await sampling;
  finishedLine(outcome);
  const reports = track.report();
  const stayed = [
    ...(await readdir(temporary)).map((name) => `${name} stayed among the temporary files`),
    ...(await sharedSegments())
      .filter((name) => shared.has(name) && !before.includes(name))
      .map((name) => `/dev/shm/${name} stayed`),
  ];
  const complaints = [...growthComplaints(reports, TOLERATED), ...stayed];
  if (reports.length === 0) complaints.push("no process was seen often enough to tell");
  return { exchange, steps: step, samples, reports, complaints };
}

function argsOf(exchange: OwnExchange): string[] {
  const { workers } = values;
  // No more rows than these are held out by default.
  const stepsPerEpoch = Math.ceil(120 / BATCH_SIZE);
  return [
    DOCUMENT,
    `--data=${IRIS_DATA}`,
    ...[`--workers=${workers}`, `--replicas=${workers}`, `--engine=${values.engine}`, ...OWN_EXCHANGES[exchange]],
    ...[`--batch-size=${BATCH_SIZE}`, `--epochs=${Math.ceil(values.steps / stepsPerEpoch)}`],
    ...["--test-split=0.2", "--evaluate-every=100", `--out=${join(folder, `${exchange}-run`)}`],
    `--data-dir=${join(folder, "rows")}`,
  ];
}

/** Other programs' too, and other runs'. */
async function sharedSegments(): Promise<string[]> {
  return (await unlessGone(readdir("/dev/shm"))) ?? [];
}

function verdict({ complaints }: LeakResult): string {
  return complaints.length === 0 ? "nothing grew" : complaints.join("; ");
}
