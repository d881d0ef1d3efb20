/**
 * Does any process hold the data, and does memory grow with the steps? Trains on a generated CSV of `--size-mb` (200), batch 256,
 * for at least `--steps` (10,000) steps on two workers, and samples the memory of every process from /proc (Linux only). The same
 * number of steps on a tenth of the data is run first: what a process needs anyway. Ends with exit code 1 when a process's peak
 * exceeds that of its kind in the first run by more than a quarter of the CSV's size (its prepared rows take nearly half of it),
 * or when it grows by more than 32 MB from the first half of the steps to the second.
 *
 *     npm run bench:memory -- --size-mb 200 --steps 10000
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { wholeNumber } from "../shared/cli/option-table.js";
import { aboveZero, benchOptions } from "./support/bench-options.js";
import { exitOnSignals } from "./support/exit-on-signals.js";
import { generatedDocument, writeGeneratedCsv } from "./support/generated-csv.js";
import { machineFacts } from "./support/machine-facts.js";
import { type MemoryReport, MemoryTrack } from "./support/memory-track.js";
import { sampleProcessTree } from "./support/process-memory.js";
import { sampleUntil } from "./support/sample-until.js";
import { finishedLine, startTraining } from "./support/train-process.js";

const BATCH_SIZE = 256;
const WORKERS = 2;
const SAMPLE_EVERY_MS = 250;
const MEGABYTE = 1024 * 1024;
/** Garbage not yet collected makes up to about 25 MB; 8 KB forgotten in each step would make 40 MB of the 5,000 compared. */
const GROWTH_LIMIT_BYTES = 32 * MEGABYTE;

exitOnSignals();
const values = benchOptions({
  name: "memory",
  describe:
    "Does any process hold the data, and does memory grow with the steps? Trains on a generated CSV on two workers, and before that the same number of steps on a tenth of it. Linux only. One line of JSON; exit code 1 when a process takes more by a quarter of the CSV's size, or grows by more than 32 MB.",
  options: {
    "size-mb": { describe: "Of the CSV, in MiB", schema: aboveZero, placeholder: "N", default: "200" },
    steps: { describe: "Of each training, at least", schema: wholeNumber(1), placeholder: "N", default: "10000" },
  },
  examples: [["--size-mb 200 --steps 10000", ""]],
});
const sizeBytes = values["size-mb"] * MEGABYTE;
const wantedSteps = values.steps;

const folder = await mkdtemp(join(tmpdir(), "ringstrasse-memory-"));
try {
  const document = join(folder, "generated.xml");
  await writeFile(document, generatedDocument());
  const small = await measure(document, { sizeBytes: sizeBytes / 10, steps: wantedSteps });
  const large = await measure(document, { sizeBytes, steps: wantedSteps });
  const complaints = large.processes.flatMap((one) => complaintsAbout(one, small.processes));
  const result = { bench: "memory", machine: machineFacts(), workers: WORKERS, batchSize: BATCH_SIZE, small, large };
  process.stdout.write(`${JSON.stringify({ ...result, complaints })}\n`);
  process.exitCode = complaints.length === 0 ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

interface Measured {
  readonly csvBytes: number;
  readonly rows: number;
  readonly steps: number;
  readonly wallMs: number;
  readonly processes: readonly MemoryReport[];
}

async function measure(document: string, size: { sizeBytes: number; steps: number }): Promise<Measured> {
  const csv = join(folder, "generated.csv");
  const rows = await writeGeneratedCsv(csv, size.sizeBytes);
  // Nothing is split off beyond the default test split of 0.2.
  const epochs = Math.max(1, Math.ceil(size.steps / Math.ceil((rows * 0.8) / BATCH_SIZE)));
  const track = new MemoryTrack();
  let step = 0;
  const training = startTraining(
    [
      document,
      `--data=${csv}`,
      `--workers=${WORKERS}`,
      `--batch-size=${BATCH_SIZE}`,
      `--epochs=${epochs}`,
      `--out=${join(folder, `run-${size.sizeBytes}`)}`,
      `--data-dir=${join(folder, "rows")}`,
    ],
    {
      onEvent: ({ event }) => {
        if (event === "step") step++;
      },
    },
  );
  const stop = new AbortController();
  const sampling = sampleUntil(stop.signal, SAMPLE_EVERY_MS, async () =>
    track.add(step, await sampleProcessTree(training.pid)),
  );
  const outcome = await training.outcome.finally(() => stop.abort());
  await sampling;
  finishedLine(outcome);
  return { csvBytes: size.sizeBytes, rows, steps: step, wallMs: outcome.wallMs, processes: track.report() };
}

function complaintsAbout(one: MemoryReport, small: readonly MemoryReport[]): string[] {
  const usual = Math.max(...small.filter(({ role }) => role === one.role).map(({ peakBytes }) => peakBytes));
  const complaints: string[] = [];
  const extra = one.peakBytes - usual;
  // Where no process of this kind is there to compare with, `extra` is infinite: a complaint, too.
  if (extra > sizeBytes / 4)
    complaints.push(`${one.role} ${one.pid} took ${extra} bytes more than on a tenth of the data`);
  if (one.growthBytes !== null && one.growthBytes > GROWTH_LIMIT_BYTES)
    complaints.push(`${one.role} ${one.pid} grew by ${one.growthBytes} bytes while training`);
  return complaints;
}
