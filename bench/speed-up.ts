/**
 * Two workers against one on MNIST (784-528-10, two replicas), and how near that comes to what the machine can give: two
 * independent runs, each pinned to a core of its own. All three are measured in alternating rounds; medians and their ratios are
 * printed, `efficiency` being the speed-up divided by that of the independent runs. Linux only (taskset), two cores at least.
 * `control` says what the machine itself takes: two loops that exchange nothing, independent and in step; `ofControl` is the efficiency
 * divided by theirs. `undisturbed` is the efficiency from each configuration's fastest tenth of epochs: where other tenants take the
 * cores for seconds at a time, medians of a pair, which goes as fast as its slower core at every step, say more of them than of the pair.
 *
 *     npm run bench:speed-up -- --document examples/mnist/mnist.xml --data MNIST/train10k-images-idx3-ubyte.gz
 */
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { machineFacts } from "./support/machine-facts.js";
import { median } from "./support/median.js";
import { measurePair, type PairRates } from "./support/synchronous-pair.js";
import { finishedLine, startTraining } from "./support/train-process.js";

const { values } = parseArgs({
  options: {
    document: { type: "string" },
    data: { type: "string" },
    "batch-sizes": { type: "string", default: "2000,100" },
    epochs: { type: "string", default: "6" },
    rounds: { type: "string", default: "5" },
    /** Exit code 1 when the efficiency of the first batch size is below this. */
    "at-least": { type: "string" },
  },
});
if (values.document === undefined || values.data === undefined) throw new Error("--document and --data are needed");
if (availableParallelism() < 2) throw new Error("two cores are needed to measure the speed-up of two workers");
const CONTROL_SECONDS = 4;
const job = [values.document, `--data=${values.data}`, "--replicas=2", `--epochs=${values.epochs}`];

/** Rows per second of every epoch measured, by configuration; the independent runs by core. */
interface Epochs {
  readonly oneWorker: number[];
  readonly twoWorkers: number[];
  readonly independent: readonly [number[], number[]];
}

/** Rows per second, one figure a round. */
interface Rounds {
  readonly oneWorker: number[];
  readonly twoWorkers: number[];
  /** Both runs together. */
  readonly independent: number[];
}

if (!(Number(values.epochs) >= 3)) throw new RangeError("--epochs: at least 3; the first and the last are not counted");

let nextRun = 0;
const out = await mkdtemp(join(tmpdir(), "ringstrasse-speed-up-"));
try {
  const results: Measured[] = [];
  for (const batchSize of values["batch-sizes"].split(",").map(Number)) results.push(await measure(batchSize));
  process.stdout.write(`${JSON.stringify({ bench: "speed-up", machine: machineFacts(), results })}\n`);
  const [first] = results;
  const wanted = values["at-least"];
  if (wanted !== undefined && first !== undefined && first.efficiency < Number(wanted)) process.exitCode = 1;
} finally {
  await rm(out, { recursive: true, force: true });
}

interface Measured {
  readonly batchSize: number;
  /** Medians over the rounds. */
  readonly rowsPerSecond: { readonly oneWorker: number; readonly twoWorkers: number; readonly independent: number };
  readonly speedUp: number;
  readonly ceiling: number;
  readonly efficiency: number;
  /** Chunks per second of two loops, medians over the rounds; efficiency: in step ÷ independent, the median of each round's. */
  readonly control: PairRates & { readonly efficiency: number };
  readonly ofControl: number;
  readonly undisturbed: { readonly speedUp: number; readonly ceiling: number; readonly efficiency: number };
  readonly rounds: Rounds;
}

async function measure(batchSize: number): Promise<Measured> {
  const rounds: Rounds = { oneWorker: [], twoWorkers: [], independent: [] };
  const controls: PairRates[] = [];
  const epochs: Epochs = { oneWorker: [], twoWorkers: [], independent: [[], []] };
  for (let round = 0; round < Number(values.rounds); round++) {
    rounds.oneWorker.push(await rowsPerSecond({ batchSize, workers: 1, core: 0 }, epochs.oneWorker));
    rounds.twoWorkers.push(await rowsPerSecond({ batchSize, workers: 2 }, epochs.twoWorkers));
    const both = await Promise.all(
      epochs.independent.map((into, core) => rowsPerSecond({ batchSize, workers: 1, core }, into)),
    );
    rounds.independent.push(both.reduce((sum, rate) => sum + rate, 0));
    const stepMs = (batchSize / 2 / (rounds.oneWorker[round] ?? 1)) * 1000;
    const control = await measurePair(stepMs, CONTROL_SECONDS);
    controls.push(control);
    const shown = (control.synchronous / control.independent).toFixed(2);
    process.stderr.write(`batch ${batchSize}, round ${round + 1}: ${describe(rounds, round)}, control ${shown}\n`);
  }
  const one = median(rounds.oneWorker);
  const speedUp = median(rounds.twoWorkers) / one;
  const ceiling = median(rounds.independent) / one;
  const medians = { oneWorker: one, twoWorkers: median(rounds.twoWorkers), independent: median(rounds.independent) };
  const efficiency = speedUp / ceiling;
  const control = medianPair(controls);
  return {
    batchSize,
    rowsPerSecond: medians,
    speedUp,
    ceiling,
    efficiency,
    control,
    ofControl: efficiency / control.efficiency,
    undisturbed: undisturbed(epochs),
    rounds,
  };
}

function medianPair(pairs: readonly PairRates[]): Measured["control"] {
  return {
    independent: median(pairs.map(({ independent }) => independent)),
    synchronous: median(pairs.map(({ synchronous }) => synchronous)),
    efficiency: median(pairs.map(({ independent, synchronous }) => synchronous / independent)),
  };
}

function undisturbed(epochs: Epochs): Measured["undisturbed"] {
  const one = fastestTenth(epochs.oneWorker);
  const speedUp = fastestTenth(epochs.twoWorkers) / one;
  const ceiling = epochs.independent.reduce((sum, rates) => sum + fastestTenth(rates), 0) / one;
  return { speedUp, ceiling, efficiency: speedUp / ceiling };
}

/** The 90th percentile. */
function fastestTenth(rates: readonly number[]): number {
  const sorted = [...rates].sort((a, b) => b - a);
  return sorted[Math.floor(sorted.length / 10)] ?? Number.NaN;
}

/**
 * Median over the epochs, of training steps only (neither start-up nor evaluation). The first epoch is left out, in which engines
 * warm up, and the last, towards whose end one of two independent runs may be alone.
 */
async function rowsPerSecond(
  run: { batchSize: number; workers: number; core?: number },
  epochs: number[],
): Promise<number> {
  const folder = join(out, `run-${nextRun++}`);
  const args = [...job, `--batch-size=${run.batchSize}`, `--workers=${run.workers}`];
  const rates: number[] = [];
  const training = startTraining([...args, `--out=${folder}`, `--data-dir=${join(out, "rows")}`], {
    ...(run.core === undefined ? {} : { core: run.core }),
    onEvent: (event) => {
      if (event.event === "epoch") rates.push(event.samplesPerSecond);
    },
  });
  finishedLine(await training.outcome);
  await rm(folder, { recursive: true, force: true });
  epochs.push(...rates.slice(1, -1));
  return median(rates.slice(1, -1));
}

function describe(rounds: Rounds, round: number): string {
  const figures = Object.entries(rounds) as [string, number[]][];
  return `${figures.map(([name, rates]) => `${name} ${rates[round]?.toFixed(0)}`).join(", ")} rows/s`;
}
