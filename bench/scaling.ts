/**
 * What do several ranks make of as many cores, here and with PyTorch? `ringstrasse train` on a core for each rank against
 * DistributedDataParallel over Gloo on the same cores, the same job on both sides, which the losses of the first steps prove. What there is
 * to reach is measured too: on both sides, independent trainings of a rank's part, one on each core at the same time. All are started
 * once and take turns of some seconds; medians, quartiles, and ratios within a round. Rows per second; milliseconds of a step waited for
 * the exchange (the product's own account) and added to the independent step (both sides). One line of JSON on stdout, tables on stderr;
 * `--svg FILE` draws it. Exit code 1 when losses differ. About 15 minutes. Linux only (taskset, SIGSTOP).
 *
 *     npm run bench:scaling -- --svg docs/images/scaling.svg > scaling.json
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { choice, filePath, wholeNumber } from "../shared/cli/option-table.js";
import { ENGINE_NAMES } from "../shared/engine-name.js";
import { scalingChart } from "./scaling/chart-of-scaling.js";
import { rowsOfWholeSteps, writeGeneratedImages } from "./scaling/generated-images.js";
import { type Entrant, measureCase } from "./scaling/measure-case.js";
import { EXCHANGES, OwnCompetitor } from "./scaling/own-competitor.js";
import { PeerCompetitor } from "./scaling/peer-competitor.js";
import { type CaseFiles, type ScalingCase, writeCase } from "./scaling/scaling-case.js";
import { type Comparison, comparisons, type SystemFigures, systemFigures } from "./scaling/scaling-figures.js";
import { comparisonTable, systemTable } from "./scaling/scaling-report.js";
import { aboveZero, benchOptions, listOf, namesOf } from "./support/bench-options.js";
import { exitOnSignals } from "./support/exit-on-signals.js";
import { machineFacts } from "./support/machine-facts.js";
import { NETWORKS } from "./train/networks.js";
import { type FoundLibrary, findPyTorch, peersDirectory } from "./train/peers.js";

exitOnSignals();
const values = benchOptions({
  name: "scaling",
  describe:
    "What do several ranks make of as many cores, here and with PyTorch's DistributedDataParallel over Gloo? The same job on both sides, and what there is to reach: independent trainings, one on each core. All take turns. About 15 minutes; Linux only (taskset, SIGSTOP). One line of JSON, tables on stderr; exit code 1 when losses differ.",
  options: {
    networks: {
      describe: `Some of ${NETWORKS.join(", ")}`,
      schema: namesOf(NETWORKS),
      placeholder: "NAME,…",
      default: NETWORKS.join(),
    },
    "batch-sizes": {
      describe: "Rows of a step on each rank",
      schema: listOf(wholeNumber(1)),
      placeholder: "N,…",
      default: "100,256",
    },
    exchanges: {
      describe: `Some of ${EXCHANGES.join(", ")}`,
      schema: namesOf(EXCHANGES),
      placeholder: "NAME,…",
      default: "shm,ring-ipc,ring-tcp",
    },
    engine: {
      describe: ENGINE_NAMES.join(", "),
      schema: choice(ENGINE_NAMES),
      placeholder: "NAME",
      default: "tensorflow",
    },
    cores: { describe: "One for each rank", schema: listOf(wholeNumber(0)), placeholder: "N,…", default: "0,1" },
    rounds: { describe: "In which systems alternate", schema: wholeNumber(1), placeholder: "N", default: "7" },
    slice: { describe: "Seconds of a turn", schema: aboveZero, placeholder: "N", default: "3" },
    peers: {
      describe: "A virtual environment in which PyTorch is looked for, beside the system's Python",
      schema: filePath,
      placeholder: "DIR",
      default: peersDirectory(),
    },
    "no-peers": { describe: "The product alone" },
    svg: { describe: "Where the result is drawn", schema: filePath, placeholder: "FILE" },
  },
  examples: [["--svg docs/images/scaling.svg > scaling.json", ""]],
});
const { cores } = values;
const ranks = cores.length;

interface MeasuredCase extends ScalingCase {
  readonly figures: readonly SystemFigures[];
  readonly comparisons: readonly Comparison[];
  /** Each system's steps, a round each. */
  readonly rounds: Readonly<Record<string, readonly number[]>>;
  /** Of the machine, over a minute, before and after: what else was running. */
  readonly load: readonly [number, number];
  readonly complaints: readonly string[];
}

/** Files of images, by their rows. */
const images = new Map<number, string>();
const folder = await mkdtemp(join(tmpdir(), "ringstrasse-scaling-"));
try {
  const { found, problem } = values["no-peers"] ? { found: [], problem: null } : await findPyTorch(values.peers);
  if (problem !== null) process.stderr.write(`skipped: ${problem}\n`);
  const cases: MeasuredCase[] = [];
  for (const network of values.networks)
    for (const batchPerRank of values["batch-sizes"]) {
      const data = await imagesOf(rowsOfWholeSteps(batchPerRank * ranks));
      cases.push(await measured({ network, batchPerRank, ranks }, data, found));
    }
  const complaints = cases.flatMap((one) => one.complaints.map((text) => `${one.network}: ${text}`));
  const setting = { engine: values.engine, cores, rounds: values.rounds, sliceSeconds: values.slice };
  const peers = found.map(({ full, python }) => ({ version: full, python }));
  const result = { bench: "scaling", machine: machineFacts(), ...setting, peers, skipped: problem, cases, complaints };
  process.stdout.write(`${JSON.stringify(result)}\n`);
  if (values.svg !== undefined) await writeFile(values.svg, scalingChart(cases));
  for (const complaint of complaints) process.stderr.write(`${complaint}\n`);
  if (complaints.length > 0) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** The file of so many images, which is written once. */
async function imagesOf(rows: number): Promise<string> {
  const known = images.get(rows);
  if (known !== undefined) return known;
  const own = join(folder, `images-${rows}`);
  await mkdir(own);
  const path = await writeGeneratedImages(own, rows);
  images.set(rows, path);
  return path;
}

async function measured(wanted: ScalingCase, data: string, found: readonly FoundLibrary[]): Promise<MeasuredCase> {
  const files = await writeCase(folder, data, wanted);
  const what = `${wanted.network}, batch ${wanted.batchPerRank} per rank`;
  const before = loadavg()[0] ?? 0;
  const own = ownEntrants(wanted, files, join(folder, `${wanted.network}-${wanted.batchPerRank}`));
  const { systems, complaints } = await measureCase([...own, ...found.flatMap((one) => peerEntrants(one, files))], {
    rounds: values.rounds,
    seconds: values.slice,
    onRound: (round) => process.stderr.write(`${what}: round ${round} of ${values.rounds}\n`),
  });
  const globalBatch = wanted.batchPerRank * ranks;
  const [figures, pairs] = [systemFigures(systems, globalBatch), comparisons(systems, globalBatch)];
  process.stderr.write(`${what}\n${systemTable(figures)}\n${pairs.length > 0 ? `${comparisonTable(pairs)}\n` : ""}\n`);
  const rounds = Object.fromEntries(systems.map(({ name, turns }) => [name, turns.map(({ stepMs }) => stepMs)]));
  return { ...wanted, figures, comparisons: pairs, rounds, load: [before, loadavg()[0] ?? 0], complaints };
}

function ownEntrants({ batchPerRank }: ScalingCase, files: CaseFiles, out: string): Entrant[] {
  const { engine, exchanges } = values;
  const side = { side: `Ringstrasse ${engine}`, isOwn: true } as const;
  const batchSize = batchPerRank * ranks;
  const alone = { name: `${engine}, independent`, files, engine, out };
  return [
    ...exchanges.map((exchange): Entrant => {
      const plan = { name: exchange, files, engine, out };
      const start = () => OwnCompetitor.ranks(plan, { exchange, cores, replicas: ranks, batchSize });
      return { ...side, kind: "ranks", hasAllRows: true, start };
    }),
    {
      ...{ ...side, kind: "independent", hasAllRows: false },
      start: () => OwnCompetitor.independent(alone, cores, batchPerRank),
    },
  ];
}

function peerEntrants(library: FoundLibrary, files: CaseFiles): Entrant[] {
  const side = { side: library.full, isOwn: false } as const;
  const plan = { library, files, cores };
  const [ddp, alone] = [`DDP, ${library.full}`, `${library.full}, independent`];
  return [
    { ...side, kind: "ranks", hasAllRows: true, start: () => PeerCompetitor.ranks({ ...plan, name: ddp }) },
    {
      ...{ ...side, kind: "independent", hasAllRows: false },
      start: () => PeerCompetitor.independent({ ...plan, name: alone }),
    },
  ];
}
