/**
 * What would a step of training cost on machines that aren't here? An α–β–γ model of each collective over a given network, for 2 to
 * thousands of workers, with stragglers and loss: time per step and efficiency. Nothing is measured; nothing overlaps. With
 * `--measured FILE`, the output of bench:allreduce, each model is fitted to half of the points at the fewest ranks, and its error at all
 * others is told. One line of JSON on stdout; `--svg FILE` draws the efficiency.
 *
 *     npm run bench:simulate -- --gbps 25,100,400 --svg docs/images/simulated-efficiency.svg
 *     npm run bench:simulate -- --measured allreduce.json
 */
import { readFile, writeFile } from "node:fs/promises";
import process from "node:process";
import { z } from "zod";
import { filePath, wholeNumber } from "../shared/cli/option-table.js";
import { type Cluster, MODEL_NAMES } from "./simulate/collective-models.js";
import { efficiencyChart, type SimulatedNetwork } from "./simulate/efficiency-chart.js";
import { validate } from "./simulate/fit-costs.js";
import { networkCosts } from "./simulate/link-costs.js";
import { hostScale, modelOf } from "./simulate/measured-host.js";
import { stepCurve } from "./simulate/training-step.js";
import { aboveZero, benchOptions, listOf, notNegative } from "./support/bench-options.js";

const lossRate = notNegative.refine((rate) => rate < 1, "a number below 1 is needed");
const values = benchOptions({
  name: "simulate",
  describe:
    "What would a step of training cost on machines that aren't here? An α–β–γ model of each collective over a given network, for 2 to thousands of workers. Nothing is measured, nothing overlaps. One line of JSON.",
  options: {
    gbps: { describe: "Gbit/s of the networks", schema: listOf(aboveZero), placeholder: "N,…", default: "25,100,400" },
    "latency-us": { describe: "Of a message, in microseconds", schema: aboveZero, placeholder: "N", default: "20" },
    loss: { describe: "Share of packets", schema: lossRate, placeholder: "N", default: "0" },
    "most-workers": {
      describe: "Up to how many, doubling from 2",
      schema: wholeNumber(2),
      placeholder: "N",
      default: "4096",
    },
    "workers-per-host": { describe: "They share a link", schema: wholeNumber(1), placeholder: "N", default: "8" },
    "payload-bytes": {
      describe: "Of the gradients; the default is ResNet-50's",
      schema: aboveZero,
      placeholder: "N",
      default: "102228128",
    },
    "compute-ms": { describe: "Of a step", schema: notNegative, placeholder: "N", default: "100" },
    stragglers: {
      describe: "Mean delay of a worker, as a share of its computation",
      schema: notNegative,
      placeholder: "N",
      default: "0.01",
    },
    "memory-gbytes": {
      describe: "GB/s of one worker's copies and additions in memory",
      schema: aboveZero,
      placeholder: "N",
      default: "8",
    },
    measured: {
      describe:
        "A line of bench:allreduce: each model is fitted to half of its points at the fewest ranks, and its error at all others is told",
      schema: filePath,
      placeholder: "FILE",
    },
    svg: { describe: "Where the efficiency is drawn", schema: filePath, placeholder: "FILE" },
  },
  examples: [
    ["--gbps 25,100,400 --svg docs/images/simulated-efficiency.svg", ""],
    ["--measured allreduce.json", ""],
  ],
});

const MeasuredSchema = z.object({
  machine: z.object({ cores: z.number().int().positive() }),
  rows: z.array(z.object({ system: z.string(), ranks: z.number(), bytes: z.number(), microseconds: z.number() })),
});

const networks = values.gbps.map(simulated);
const validation = values.measured === undefined ? null : await validated(values.measured);
if (values.svg !== undefined) await writeFile(values.svg, efficiencyChart(networks));
process.stdout.write(`${JSON.stringify({ bench: "simulate", options: values, networks, validation })}\n`);

function simulated(gigabitsPerS: number): SimulatedNetwork {
  const gammaSPerByte = 1 / (values["memory-gbytes"] * 1e9);
  const description = {
    gigabitsPerS,
    latencyUs: values["latency-us"],
    lossRate: values.loss,
  };
  const network = networkCosts(description, gammaSPerByte);
  const memory = { alphaS: 5e-6, betaSPerByte: gammaSPerByte, gammaSPerByte };
  const workersPerHost = values["workers-per-host"];
  const clusters: Cluster[] = [];
  for (let workers = 2; workers <= values["most-workers"]; workers *= 2) {
    clusters.push({ workers, workersPerHost, network, memory });
  }
  const work = {
    payloadBytes: values["payload-bytes"],
    computeS: values["compute-ms"] / 1000,
    stragglerShare: values.stragglers,
  };
  const curves = MODEL_NAMES.map((model) => ({ model, points: stepCurve(model, clusters, work) }));
  return { ...description, curves };
}

async function validated(file: string) {
  const { machine, rows } = MeasuredSchema.parse(JSON.parse(await readFile(file, "utf8")));
  // One rank exchanges nothing: no model says what that takes.
  const described = rows.filter(({ system, ranks }) => modelOf(system) !== undefined && ranks > 1);
  const systems = validate(described, hostScale(machine.cores));
  for (const { system, medianError, worstError, points } of systems) {
    const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
    const errors = `median error ${percent(medianError)}, worst ${percent(worstError)}`;
    process.stderr.write(`${system}: ${errors} at ${points.length} points that it was not fitted to\n`);
  }
  return systems;
}
