/**
 * All-reduce of float32 sums, by the product's own collectives, also over the MPIs that are installed, and by the peers that are installed (Open MPI over shared memory and
 * over TCP, MPICH, Gloo through PyTorch), in alternating rounds: in every round each system measures all sizes once, in processes of
 * its own, in an order that moves on by one with every round. Time, algbw and busbw as nccl-tests define them, the ratio to Gloo in the same round, and the fraction of what copying the
 * bytes once would take. One line of JSON on stdout; `--svg FILE` draws it. Exit code 1 when a sum is wrong, or a system
 * fails; the others go on then. With more ranks than cores small sizes are repeated less often.
 *
 *     npm run bench:allreduce -- --ranks 2,4 --rounds 5 --svg docs/images/allreduce.svg > allreduce.json
 *     npm run bench:allreduce -- --from allreduce.json --svg docs/images/allreduce.svg   # draws it again
 *
 * Peers that are missing are named; `--install-peers` fetches them as Debian packages (as root).
 */
import { type ExecFileSyncOptions, execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { z } from "zod";
import { filePath, wholeNumber } from "../shared/cli/option-table.js";
import {
  type AllreduceRow,
  AllreduceRowSchema,
  figureTable,
  type PairRow,
  pairRows,
  reportRows,
  reportTable,
} from "./allreduce/allreduce-report.js";
import { hostChart } from "./allreduce/chart-of-allreduce.js";
import { measureSystems } from "./allreduce/measure-systems.js";
import { findOwnOverMpi, OVER_MPI_NAMES, type OwnOverMpi } from "./allreduce/own-over-mpi.js";
import { measureOwn, type OwnSystem } from "./allreduce/own-system.js";
import { findPeers, PEER_NAMES, PEER_PACKAGES, type Peer } from "./allreduce/peer-systems.js";
import { sideBySide } from "./allreduce/side-by-side.js";
import { crowded, sizePlan, sizePlans, warmUpPlan } from "./allreduce/size-plan.js";
import { SLOWEST_ON_ONE_HOST } from "./allreduce/time-limit.js";
import { benchOptions, listOf, namesOf, refuseOptions } from "./support/bench-options.js";
import { exitOnSignals } from "./support/exit-on-signals.js";
import { machineFacts } from "./support/machine-facts.js";

exitOnSignals();
/** With `--encrypt` alone. */
const ENCRYPTED = "ring-tcp-encrypted";
const OWN_NAMES = ["shm", "hierarchical", "ring-ipc", "server-ipc", "ring-tcp"] as const;

const values = benchOptions({
  name: "allreduce",
  describe:
    "All-reduce of float32 sums, by the product's own collectives and by the peers that are installed (Open MPI, MPICH, Gloo through PyTorch), in alternating rounds: time, algbw and busbw as nccl-tests define them, the ratio to Gloo, and to copying the bytes once. One line of JSON, tables on stderr; exit code 1 when a sum is wrong, or a system fails.",
  options: {
    ranks: { describe: "Processes", schema: listOf(wholeNumber(1)), placeholder: "N,…", default: "2,4" },
    rounds: { describe: "In which systems alternate", schema: wholeNumber(1), placeholder: "N", default: "5" },
    "from-bytes": {
      describe: "The smallest size; each is twice the one before",
      schema: wholeNumber(4),
      placeholder: "N",
      default: "4",
    },
    "to-bytes": { describe: "The largest", schema: wholeNumber(4), placeholder: "N", default: `${128 * 1024 * 1024}` },
    bytes: { describe: "These sizes instead", schema: listOf(wholeNumber(4)), placeholder: "N,…" },
    systems: {
      describe: "Instead of all, by the names that tables have",
      schema: namesOf([...OWN_NAMES, ENCRYPTED, ...OVER_MPI_NAMES, ...PEER_NAMES]),
      placeholder: "NAME,…",
    },
    encrypt: { describe: "Also the ring over tcp with encrypted links" },
    python: { describe: "A Python that has torch; else the first on the path", schema: filePath, placeholder: "FILE" },
    svg: { describe: "Where the result is drawn", schema: filePath, placeholder: "FILE" },
    from: {
      describe: "The line of an earlier run, which --svg draws again; nothing is measured",
      schema: filePath,
      placeholder: "FILE",
    },
    "install-peers": { describe: "Before: the peers as Debian packages (as root)" },
  },
  examples: [
    ["--ranks 2,4 --rounds 5 --svg docs/images/allreduce.svg > allreduce.json", ""],
    ["--from allreduce.json --svg docs/images/allreduce.svg", "Draws it again."],
  ],
});
const sizes =
  values.bytes === undefined ? sizePlans(values["from-bytes"], values["to-bytes"]) : values.bytes.map(sizePlan);
const { rounds } = values;
/** What is drawn of a result. */
const ResultSchema = z.object({ rows: z.array(AllreduceRowSchema), own: z.array(z.string()) });

const SYSTEMS: Readonly<Record<(typeof OWN_NAMES)[number], OwnSystem>> = {
  shm: { collective: "shm", transport: "ipc" },
  hierarchical: { collective: "hierarchical", transport: "ipc" },
  "ring-ipc": { collective: "ring", transport: "ipc" },
  "server-ipc": { collective: "parameter-server", transport: "ipc" },
  "ring-tcp": { collective: "ring", transport: "tcp" },
};
const OWN: readonly (readonly [string, OwnSystem])[] = [
  ...OWN_NAMES.map((name) => [name, SYSTEMS[name]] as const),
  ...(values.encrypt ? [[ENCRYPTED, { collective: "ring", transport: "tcp", encrypt: true }] as const] : []),
];
if (values.systems?.includes(ENCRYPTED) === true && !values.encrypt)
  refuseOptions("allreduce", `--systems ${ENCRYPTED} needs --encrypt`);

if (values.from === undefined) await measureAll();
else await drawAgain(values.from);

/** Nothing is measured: the picture of an earlier run's line. */
async function drawAgain(file: string): Promise<void> {
  if (values.svg === undefined) refuseOptions("allreduce", "--from draws an earlier result, and --svg FILE is missing");
  const { rows, own } = ResultSchema.parse(JSON.parse(await readFile(file, "utf8")));
  await writeFile(values.svg, hostChart(rows, own));
}

async function measureAll(): Promise<void> {
  if (values["install-peers"]) installPeers();
  const folder = await mkdtemp(join(tmpdir(), "ringstrasse-allreduce-"));
  try {
    const path = process.env["PATH"] ?? "";
    const { found, missing } = await findPeers({ path, python: values.python ?? null, folder });
    const overMpi = await findOwnOverMpi(path);
    const absent = [...new Set([...missing, ...overMpi.missing])];
    for (const what of absent) process.stderr.write(`left out: ${what} (--install-peers brings it)\n`);
    const here = new Set([...OWN.map(([name]) => name), ...overMpi.found.map(nameOf), ...found.map(nameOf)]);
    const lacking = (values.systems ?? []).filter((name) => !here.has(name));
    if (lacking.length > 0) {
      process.stderr.write(`bench:allreduce: --systems names what is not here: ${lacking.join(", ")}\n`);
      process.exitCode = 2;
      return;
    }
    const rows: AllreduceRow[] = [];
    const pairs: (PairRow & { readonly ranks: number })[] = [];
    const failures: string[] = [];
    const orders: { readonly ranks: number; readonly rounds: readonly (readonly string[])[] }[] = [];
    for (const ranks of values.ranks) {
      const measured = await measure(ranks, found, overMpi.found);
      rows.push(...measured.rows);
      failures.push(...measured.failures);
      orders.push({ ranks, rounds: measured.orders });
      pairs.push(...measured.pairs.map((pair) => ({ ranks, ...pair })));
    }
    const peers = found.map(({ name, version }) => ({ name, version }));
    const own = [...OWN.map(([name]) => name), ...overMpi.found.map(({ name }) => name)];
    const setting = { bench: "allreduce", machine: machineFacts(), rounds, peers, missing: absent, own };
    process.stdout.write(`${JSON.stringify({ ...setting, orders, rows, pairs, failures })}\n`);
    if (values.svg !== undefined) await writeFile(values.svg, hostChart(rows, own));
    if (failures.length > 0 || rows.some(({ wrong }) => wrong > 0)) process.exitCode = 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function nameOf({ name }: { readonly name: string }): string {
  return name;
}

function installPeers(): void {
  const quiet: ExecFileSyncOptions = { stdio: ["ignore", "ignore", "inherit"] };
  execFileSync("apt-get", ["update", "-qq"], quiet);
  execFileSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...PEER_PACKAGES], quiet);
}

interface MeasuredRanks {
  readonly rows: readonly AllreduceRow[];
  readonly pairs: readonly PairRow[];
  /** Names of who was measured, round by round. */
  readonly orders: readonly (readonly string[])[];
  readonly failures: readonly string[];
}

async function measure(ranks: number, peers: readonly Peer[], overMpi: readonly OwnOverMpi[]): Promise<MeasuredRanks> {
  const wanted: readonly string[] | undefined = values.systems;
  const all = sideBySide(
    OWN.map(([name, own]) => [name, (plans, limitMs) => measureOwn(own, { ranks, sizes: plans, limitMs })]),
    overMpi.map((own) => ({ ...own, measure: (plans, limitMs) => own.measure(ranks, plans, limitMs) })),
    peers.map(({ name, measure }) => [name, (plans, limitMs) => measure(ranks, plans, limitMs)]),
  );
  const systems = all.filter(([name]) => wanted?.includes(name) ?? true);
  const onRound = (round: number) => process.stderr.write(`${ranks} ranks, round ${round} of ${rounds}\n`);
  const isCrowded = ranks > availableParallelism();
  const plans = isCrowded ? sizes.map(crowded) : sizes;
  const what = { systems, sizes: plans, warmUp: warmUpPlan(isCrowded), rounds, slowest: SLOWEST_ON_ONE_HOST, onRound };
  const { measured, orders, copies, failures } = await measureSystems(what);
  const rows = reportRows(ranks, measured, copies);
  const pairs = pairRows(overMpi, measured);
  process.stderr.write(`${ranks} ranks, µs (ratio to Gloo):\n${reportTable(rows)}\n\n${figureTable(rows)}\n`);
  for (const { system, peer, bytes, ratio } of pairs)
    process.stderr.write(`${system} ÷ ${peer}, ${bytes} bytes: ${ratio.toFixed(2)}\n`);
  for (const [name, message] of failures) process.stderr.write(`${ranks} ranks: ${name} failed: ${message}\n`);
  const told = [...failures].map(([name, message]) => `${ranks} ranks: ${name}: ${message}`);
  return { rows, pairs, orders, failures: told };
}
