/**
 * What do the strategies of training send, and what comes of it? MNIST (784-528-10) on two workers with four replicas, the same job with
 * each strategy, one after the other: bytes that all workers have sent, and the accuracy on the test rows, after each epoch. All but
 * `async` and the share of time that was waited come out the same in every run. One line of JSON on stdout, a table on stderr; `--svg FILE` draws it. About 5 minutes.
 *
 *     npm run bench:strategies -- --data MNIST/train10k-images-idx3-ubyte.gz --test-data MNIST/t10k-images-idx3-ubyte.gz --svg docs/images/strategies.svg > strategies.json
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { choice, filePath, wholeNumber } from "../shared/cli/option-table.js";
import { ENGINE_NAMES } from "../shared/engine-name.js";
import { strategyChart } from "./strategies/chart-of-strategies.js";
import { STRATEGY_CASES, type StrategyCase } from "./strategies/strategy-case.js";
import { EpochTally, type StrategyFigures, strategyTable } from "./strategies/strategy-figures.js";
import { benchOptions } from "./support/bench-options.js";
import { exitOnSignals } from "./support/exit-on-signals.js";
import { machineFacts } from "./support/machine-facts.js";
import { finishedLine, startTraining } from "./support/train-process.js";

exitOnSignals();
const values = benchOptions({
  name: "strategies",
  describe:
    "What do the strategies of training send, and what comes of it? The same job with each strategy, one after the other: bytes that all workers have sent, and the accuracy on the test rows, after each epoch. About 5 minutes. One line of JSON, a table on stderr.",
  options: {
    document: {
      describe: "What is trained",
      schema: filePath,
      placeholder: "FILE",
      default: "examples/mnist/mnist.xml",
    },
    data: { describe: "Its rows", schema: filePath, placeholder: "FILE", isNeeded: true },
    "test-data": { describe: "Rows that it is judged by", schema: filePath, placeholder: "FILE", isNeeded: true },
    epochs: { describe: "Of each training", schema: wholeNumber(1), placeholder: "N", default: "5" },
    workers: {
      describe: "Processes that train: one sends nothing",
      schema: wholeNumber(2),
      placeholder: "N",
      default: "2",
    },
    replicas: { describe: "Of each training", schema: wholeNumber(1), placeholder: "N", default: "4" },
    engine: { describe: ENGINE_NAMES.join(", "), schema: choice(ENGINE_NAMES), placeholder: "NAME", default: "wasm" },
    svg: { describe: "Where the result is drawn", schema: filePath, placeholder: "FILE" },
  },
  examples: [
    [
      "--data MNIST/train10k-images-idx3-ubyte.gz --test-data MNIST/t10k-images-idx3-ubyte.gz --svg docs/images/strategies.svg > strategies.json",
      "",
    ],
  ],
});
const { document, data, "test-data": testData, epochs, workers, replicas, engine } = values;
const job = { document, data, testData, epochs, workers, replicas, engine };
const flags = Object.entries({ data, "test-data": testData, epochs, workers, replicas, engine });

const folder = await mkdtemp(join(tmpdir(), "ringstrasse-strategies-"));
try {
  const strategies: StrategyFigures[] = [];
  for (const each of STRATEGY_CASES) strategies.push(await measured(each));
  process.stderr.write(`${strategyTable(strategies)}\n`);
  process.stdout.write(`${JSON.stringify({ bench: "strategies", machine: machineFacts(), ...job, strategies })}\n`);
  const what = `${basename(document)}, ${workers} workers, ${replicas} replicas, ${epochs} epochs`;
  if (values.svg !== undefined) await writeFile(values.svg, strategyChart(strategies, what));
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function measured({ name, flags: own, isPlain }: StrategyCase): Promise<StrategyFigures> {
  const places = ["--out", join(folder, "run"), "--data-dir", join(folder, "rows")];
  const args = [document, ...flags.flatMap(([option, value]) => [`--${option}`, String(value)]), ...places, ...own];
  const tally = new EpochTally();
  const { outcome } = startTraining(args, { onEvent: (event) => tally.hear(event) });
  finishedLine(await outcome);
  process.stderr.write(`${name}: trained\n`);
  return { name, isPlain, epochs: tally.epochs };
}
