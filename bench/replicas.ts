/**
 * What does it cost that a job has more replicas than workers? 784-528-10 with the same rows in every step, on N workers with a core each
 * and R = N, 2 N and 4 N replicas, on each engine. All jobs of one N are started once and take turns of some seconds; medians, and
 * ratios to R = N within a round, of the whole step and of its exchange (with one worker: the fold of its replicas). One line of JSON
 * on stdout, tables on stderr. Exit code 1 when losses differ. About 5 minutes. Linux only (taskset, SIGSTOP).
 *
 *     npm run bench:replicas -- --engines wasm,tensorflow > replicas.json
 */
import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { choice, wholeNumber } from "../shared/cli/option-table.js";
import { ENGINE_NAMES } from "../shared/engine-name.js";
import { writeGeneratedImages } from "./scaling/generated-images.js";
import { type Entrant, measureCase } from "./scaling/measure-case.js";
import { EXCHANGES, OwnCompetitor } from "./scaling/own-competitor.js";
import { type ReplicaCost, replicaCosts, replicaTable } from "./scaling/replica-figures.js";
import { writeCase } from "./scaling/scaling-case.js";
import { aboveZero, benchOptions, listOf, namesOf } from "./support/bench-options.js";
import { exitOnSignals } from "./support/exit-on-signals.js";
import { machineFacts } from "./support/machine-facts.js";

exitOnSignals();
const values = benchOptions({
  name: "replicas",
  describe:
    "What does it cost that a job has more replicas (R) than workers (N)? 784-528-10 with the same rows in every step, a core for each worker; all jobs of one N are started once and take turns. About 5 minutes; Linux only (taskset, SIGSTOP). One line of JSON, tables on stderr; exit code 1 when losses differ.",
  options: {
    engines: {
      describe: `Some of ${ENGINE_NAMES.join(", ")}`,
      schema: namesOf(ENGINE_NAMES),
      placeholder: "NAME,…",
      default: "wasm,tensorflow",
    },
    workers: { describe: "N", schema: listOf(wholeNumber(1)), placeholder: "N,…", default: "1,2" },
    ratios: {
      describe: "R ÷ N; the first is what the others are compared with",
      schema: listOf(wholeNumber(1)),
      placeholder: "N,…",
      default: "1,2,4",
    },
    exchange: { describe: EXCHANGES.join(", "), schema: choice(EXCHANGES), placeholder: "NAME", default: "shm" },
    "batch-size": {
      describe: "Rows of a step over all replicas",
      schema: wholeNumber(1),
      placeholder: "N",
      default: "200",
    },
    "first-core": {
      describe: "The first worker's; the others follow",
      schema: wholeNumber(0),
      placeholder: "N",
      default: "0",
    },
    rounds: { describe: "In which jobs alternate", schema: wholeNumber(1), placeholder: "N", default: "7" },
    slice: { describe: "Seconds of a turn", schema: aboveZero, placeholder: "N", default: "2" },
  },
  examples: [["--engines wasm,tensorflow > replicas.json", ""]],
});
/** Whole batches: no step is shorter than the others. */
const BATCHES = 100;
const { "batch-size": batchSize, ratios, exchange } = values;

interface MeasuredGroup {
  readonly engine: string;
  readonly workers: number;
  readonly costs: readonly ReplicaCost[];
  readonly load: readonly [number, number];
  readonly complaints: readonly string[];
}

const folder = await mkdtemp(join(tmpdir(), "ringstrasse-replicas-"));
try {
  const data = await writeGeneratedImages(folder, BATCHES * batchSize);
  const groups: MeasuredGroup[] = [];
  for (const engine of values.engines)
    for (const workers of values.workers) groups.push(await measured(engine, workers, data));
  const complaints = groups.flatMap((group) => group.complaints.map((text) => `${group.engine}: ${text}`));
  const setting = { network: "mlp", batchSize, exchange, rounds: values.rounds };
  process.stdout.write(
    `${JSON.stringify({ bench: "replicas", machine: machineFacts(), ...setting, groups, complaints })}\n`,
  );
  for (const complaint of complaints) process.stderr.write(`${complaint}\n`);
  if (complaints.length > 0) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function measured(engine: string, workers: number, data: string): Promise<MeasuredGroup> {
  const cores = Array.from({ length: workers }, (_, rank) => values["first-core"] + rank);
  const own = join(folder, `${engine}-${workers}`);
  const files = await writeCase(own, data, { network: "mlp", batchPerRank: batchSize / workers, ranks: workers });
  const before = loadavg()[0] ?? 0;
  const all = ratios.map((ratio) => workers * ratio);
  const entrants = all.map((replicas): Entrant => {
    const plan = { name: `R=${replicas}`, files, engine, out: own };
    const start = () => OwnCompetitor.ranks(plan, { exchange, cores, replicas, batchSize });
    return { side: engine, isOwn: true, kind: "ranks", hasAllRows: true, start };
  });
  const { systems, complaints } = await measureCase(entrants, {
    rounds: values.rounds,
    seconds: values.slice,
  });
  const costs = replicaCosts(systems.map(({ turns }, index) => ({ replicas: all[index] ?? 0, turns })));
  process.stderr.write(`${engine}, N = ${workers}\n${replicaTable(costs)}\n\n`);
  return { engine, workers, costs, load: [before, loadavg()[0] ?? 0], complaints };
}
