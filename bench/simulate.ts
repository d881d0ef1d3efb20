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
import { parseArgs } from "node:util";
import { z } from "zod";
import { type Cluster, MODEL_NAMES } from "./simulate/collective-models.js";
import { efficiencyChart, type SimulatedNetwork } from "./simulate/efficiency-chart.js";
import { validate } from "./simulate/fit-costs.js";
import { networkCosts } from "./simulate/link-costs.js";
import { hostScale, modelOf } from "./simulate/measured-host.js";
import { stepCurve } from "./simulate/training-step.js";

const { values } = parseArgs({
  options: {
    gbps: { type: "string", default: "25,100,400" },
    "latency-us": { type: "string", default: "20" },
    /** Share of packets. */
    loss: { type: "string", default: "0" },
    "most-workers": { type: "string", default: "4096" },
    "workers-per-host": { type: "string", default: "8" },
    /** Of the gradients; the default is ResNet-50's. */
    "payload-bytes": { type: "string", default: "102228128" },
    "compute-ms": { type: "string", default: "100" },
    /** Mean delay of a worker, as a share of its computation. */
    stragglers: { type: "string", default: "0.01" },
    /** Of one worker's copies and additions in memory. */
    "memory-gbytes": { type: "string", default: "8" },
    measured: { type: "string" },
    svg: { type: "string" },
  },
});

const MeasuredSchema = z.object({
  machine: z.object({ cores: z.number().int().positive() }),
  rows: z.array(z.object({ system: z.string(), ranks: z.number(), bytes: z.number(), microseconds: z.number() })),
});

const networks = values.gbps.split(",").map((text) => simulated(number(text, "--gbps")));
const validation = values.measured === undefined ? null : await validated(values.measured);
if (values.svg !== undefined) await writeFile(values.svg, efficiencyChart(networks));
process.stdout.write(`${JSON.stringify({ bench: "simulate", options: values, networks, validation })}\n`);

function simulated(gigabitsPerS: number): SimulatedNetwork {
  const gammaSPerByte = 1 / (number(values["memory-gbytes"], "--memory-gbytes") * 1e9);
  const description = {
    gigabitsPerS,
    latencyUs: number(values["latency-us"], "--latency-us"),
    lossRate: number(values.loss, "--loss"),
  };
  const network = networkCosts(description, gammaSPerByte);
  const memory = { alphaS: 5e-6, betaSPerByte: gammaSPerByte, gammaSPerByte };
  const workersPerHost = number(values["workers-per-host"], "--workers-per-host");
  const clusters: Cluster[] = [];
  for (let workers = 2; workers <= number(values["most-workers"], "--most-workers"); workers *= 2) {
    clusters.push({ workers, workersPerHost, network, memory });
  }
  const work = {
    payloadBytes: number(values["payload-bytes"], "--payload-bytes"),
    computeS: number(values["compute-ms"], "--compute-ms") / 1000,
    stragglerShare: number(values.stragglers, "--stragglers"),
  };
  const curves = MODEL_NAMES.map((model) => ({ model, points: stepCurve(model, clusters, work) }));
  return { ...description, curves };
}

async function validated(file: string) {
  const { machine, rows } = MeasuredSchema.parse(JSON.parse(await readFile(file, "utf8")));
  const described = rows.filter(({ system }) => modelOf(system) !== undefined);
  const systems = validate(described, hostScale(machine.cores));
  for (const { system, medianError, worstError, points } of systems) {
    const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
    const errors = `median error ${percent(medianError)}, worst ${percent(worstError)}`;
    process.stderr.write(`${system}: ${errors} at ${points.length} points that it was not fitted to\n`);
  }
  return systems;
}

function number(text: string, option: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new RangeError(`${option} ${text} is not a number`);
  return value;
}
