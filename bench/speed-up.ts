/**
 * Two workers against one on MNIST (784-528-10, two replicas), and how near that comes to what the machine can give: two
 * independent runs, each pinned to a core of its own. All of them are started once and then run in turns of a few seconds, the others
 * standing still meanwhile, so that what other tenants do to the cores falls on all alike; figures are medians over the rounds, ratios
 * the medians of each round's ratios. `efficiency` is the rate of two workers ÷ that of the two independent runs. Linux only (taskset,
 * SIGSTOP), two cores at least.
 *
 * `control` says what the machine itself takes: two trainings of half a batch each that exchange nothing, in step ÷ independent, in turns
 * with the others.
 *
 *     npm run bench:speed-up -- --document examples/mnist/mnist.xml --data MNIST/train10k-images-idx3-ubyte.gz
 */
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { choice, filePath, wholeNumber } from "../shared/cli/option-table.js";
import { ENGINE_NAMES } from "../shared/engine-name.js";
import { aboveZero, benchOptions, listOf } from "./support/bench-options.js";
import { exitOnSignals } from "./support/exit-on-signals.js";
import { machineFacts } from "./support/machine-facts.js";
import { median } from "./support/median.js";
import { SlicedTraining, type SliceRates } from "./support/sliced-training.js";
import { SynchronousPair } from "./support/synchronous-pair.js";
import { network, optimizer } from "./train/networks.js";
import { readDigits, writeWorkload } from "./train/workload.js";

exitOnSignals();
const values = benchOptions({
  name: "speed-up",
  describe:
    "Two workers against one (two replicas), and how near that comes to what the machine can give: two independent runs, each on a core of its own. All take turns of some seconds. Two cores at least; Linux only (taskset, SIGSTOP). One line of JSON.",
  options: {
    document: { describe: "What is trained", schema: filePath, placeholder: "FILE", isNeeded: true },
    data: {
      describe: "IDX images with their labels beside them",
      schema: filePath,
      placeholder: "FILE",
      isNeeded: true,
    },
    "batch-sizes": {
      describe: "Rows of a step over both replicas",
      schema: listOf(wholeNumber(2).refine((rows) => rows % 2 === 0, "an even number is needed")),
      placeholder: "N,…",
      default: "2000,100",
    },
    engine: { describe: ENGINE_NAMES.join(", "), schema: choice(ENGINE_NAMES), placeholder: "NAME", default: "wasm" },
    rounds: { describe: "In which runs alternate", schema: wholeNumber(1), placeholder: "N", default: "30" },
    slice: { describe: "Seconds of a turn", schema: aboveZero, placeholder: "N", default: "3" },
    "at-least": {
      describe: "Exit code 1 when the efficiency of the first batch size is below this",
      schema: aboveZero,
      placeholder: "N",
    },
  },
  examples: [["--document examples/mnist/mnist.xml --data MNIST/train10k-images-idx3-ubyte.gz", ""]],
});
if (availableParallelism() < 2) throw new Error("two cores are needed to measure the speed-up of two workers");
const { data } = values;
const job = [values.document, `--data=${data}`, "--replicas=2", `--engine=${values.engine}`];
const seconds = values.slice;

type RowRates = Pick<SliceRates, "mean" | "typical">;

/** Of one round: rows per second, the independent runs' together; half steps per second of the control. */
interface Round {
  readonly oneWorker: RowRates;
  readonly twoWorkers: RowRates;
  readonly independent: RowRates;
  readonly controlInStep: number;
  readonly controlIndependent: number;
}

interface Measured {
  readonly batchSize: number;
  readonly rounds: number;
  /** Medians. */
  readonly rowsPerSecond: { readonly oneWorker: number; readonly twoWorkers: number; readonly independent: number };
  readonly speedUp: number;
  /** Two independent runs against one. */
  readonly ceiling: number;
  readonly efficiency: number;
  /** Quarter, half and three quarters of the rounds are below. */
  readonly efficiencyQuartiles: readonly number[];
  /** By the median step of each turn. */
  readonly typicalEfficiency: number;
  /** By the number of steps in all turns together, whatever they were spent on. */
  readonly countedEfficiency: number;
  readonly control: number;
  readonly ofControl: number;
}

const out = await mkdtemp(join(tmpdir(), "ringstrasse-speed-up-"));
try {
  const results: Measured[] = [];
  for (const batchSize of values["batch-sizes"]) results.push(await measure(batchSize));
  process.stdout.write(`${JSON.stringify({ bench: "speed-up", machine: machineFacts(), results })}\n`);
  const [first] = results;
  const wanted = values["at-least"];
  if (wanted !== undefined && first !== undefined && first.efficiency < wanted) process.exitCode = 1;
} finally {
  await rm(out, { recursive: true, force: true });
}

async function measure(batchSize: number): Promise<Measured> {
  const start = (name: string, workers: number, core: number | null): Promise<SlicedTraining> =>
    SlicedTraining.start(
      [
        ...job,
        `--batch-size=${batchSize}`,
        `--workers=${workers}`,
        `--out=${join(out, `${name}-${batchSize}`)}`,
        `--data-dir=${join(out, "rows")}`,
      ],
      core === null ? {} : { cores: [core] },
    );
  // One after the other: each is stopped before the next one starts.
  await using one = await start("one", 1, 0);
  await using two = await start("two", 2, null);
  await using left = await start("left", 1, 0);
  await using right = await start("right", 1, 1);
  await using pair = await SynchronousPair.start(await halfOf(batchSize), values.engine);
  const turns: ((round: Partial<Mutable<Round>>) => Promise<void>)[] = [
    async (round) => {
      round.oneWorker = rows(batchSize, [await one.run(seconds)]);
    },
    async (round) => {
      round.twoWorkers = rows(batchSize, [await two.run(seconds)]);
    },
    async (round) => {
      round.independent = rows(batchSize, await Promise.all([left.run(seconds), right.run(seconds)]));
    },
    async (round) => {
      round.controlInStep = await pair.inStep(seconds / 2);
      round.controlIndependent = await pair.independent(seconds / 2);
    },
  ];
  const rounds: Round[] = [];
  for (let index = 0; index < values.rounds; index++) {
    const round: Partial<Mutable<Round>> = {};
    // There and back, so that what changes slowly favours nobody.
    for (const turn of index % 2 === 0 ? turns : turns.toReversed()) await turn(round);
    rounds.push(round as Round);
    process.stderr.write(`batch ${batchSize}, round ${index + 1}: ${describe(round as Round)}\n`);
  }
  return summary(batchSize, rounds, two.counted / (left.counted + right.counted));
}

/** The work of one worker of two, for the control. */
async function halfOf(batchSize: number): Promise<string> {
  const dataset = await readDigits(data, join(out, "control"));
  const half = { model: network("mlp"), optimizer: optimizer("momentum"), batchSize: batchSize / 2, dataset };
  return await writeWorkload(join(out, `control-${batchSize}`), half);
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function rows(batchSize: number, slices: readonly RowRates[]): RowRates {
  const sum = (rate: (slice: RowRates) => number): number =>
    slices.reduce((total, slice) => total + batchSize * rate(slice), 0);
  return { mean: sum(({ mean }) => mean), typical: sum(({ typical }) => typical) };
}

function summary(batchSize: number, rounds: readonly Round[], countedEfficiency: number): Measured {
  const of = (figure: (round: Round) => number): number => median(rounds.map(figure));
  const efficiencies = rounds.map(({ twoWorkers, independent }) => twoWorkers.mean / independent.mean);
  const efficiency = median(efficiencies);
  const control = of(({ controlInStep, controlIndependent }) => controlInStep / controlIndependent);
  const sorted = efficiencies.toSorted((a, b) => a - b);
  return {
    batchSize,
    rounds: rounds.length,
    rowsPerSecond: {
      oneWorker: of(({ oneWorker }) => oneWorker.mean),
      twoWorkers: of(({ twoWorkers }) => twoWorkers.mean),
      independent: of(({ independent }) => independent.mean),
    },
    speedUp: of(({ twoWorkers, oneWorker }) => twoWorkers.mean / oneWorker.mean),
    ceiling: of(({ independent, oneWorker }) => independent.mean / oneWorker.mean),
    efficiency,
    efficiencyQuartiles: [0.25, 0.5, 0.75].map((part) => sorted[Math.floor(part * (sorted.length - 1))] ?? Number.NaN),
    typicalEfficiency: of(({ twoWorkers, independent }) => twoWorkers.typical / independent.typical),
    countedEfficiency,
    control,
    ofControl: efficiency / control,
  };
}

function describe({ oneWorker, twoWorkers, independent, controlInStep, controlIndependent }: Round): string {
  const figures = { oneWorker, twoWorkers, independent };
  const rates = Object.entries(figures).map(([name, { mean }]) => `${name} ${mean.toFixed(0)}`);
  const ratio = (twoWorkers.mean / independent.mean).toFixed(2);
  return `${rates.join(", ")} rows/s, ${ratio}, control ${(controlInStep / controlIndependent).toFixed(2)}`;
}
