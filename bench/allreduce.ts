/**
 * All-reduce of float32 sums, by the product's own collectives, also over the MPIs that are installed, and by the peers that are installed (Open MPI over shared memory and
 * over TCP, MPICH, Gloo through PyTorch), in alternating rounds: in every round each system measures all sizes once, in processes of
 * its own. Time, algbw and busbw as nccl-tests define them, the ratio to Gloo in the same round, and the fraction of what copying the
 * bytes once would take. One line of JSON on stdout; `--svg FILE` draws it. Exit code 1 when a sum is wrong, or an own collective fails.
 *
 *     npm run bench:allreduce -- --ranks 2,4 --rounds 5 --svg docs/images/allreduce.svg > allreduce.json
 *
 * Peers that are missing are named; `--install-peers` fetches them as Debian packages (as root).
 */
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import {
  type AllreduceRow,
  figureTable,
  type PairRow,
  pairRows,
  reportRows,
  reportTable,
} from "./allreduce/allreduce-report.js";
import { allreduceChart } from "./allreduce/chart-of-allreduce.js";
import { copyMicroseconds } from "./allreduce/copy-limit.js";
import { findOwnOverMpi, type OwnOverMpi } from "./allreduce/own-over-mpi.js";
import { measureOwn } from "./allreduce/own-system.js";
import { findPeers, PEER_PACKAGES, type Peer } from "./allreduce/peer-systems.js";
import type { SizePlan, Timing } from "./allreduce/rank-messages.js";
import { sizePlan, sizePlans } from "./allreduce/size-plan.js";
import { machineFacts } from "./support/machine-facts.js";

const { values } = parseArgs({
  options: {
    ranks: { type: "string", default: "2,4" },
    rounds: { type: "string", default: "5" },
    "from-bytes": { type: "string", default: "4" },
    "to-bytes": { type: "string", default: `${128 * 1024 * 1024}` },
    /** Instead of all sizes. */
    bytes: { type: "string" },
    systems: { type: "string" },
    /** A Python that has torch; absent: the first on the path. */
    python: { type: "string" },
    svg: { type: "string" },
    "install-peers": { type: "boolean", default: false },
  },
});
const sizes =
  values.bytes === undefined
    ? sizePlans(Number(values["from-bytes"]), Number(values["to-bytes"]))
    : values.bytes.split(",").map((bytes) => sizePlan(Number(bytes)));
const rounds = Number(values.rounds);

type Measure = (ranks: number, sizes: readonly SizePlan[]) => Promise<Timing[]>;
const OWN: readonly (readonly [string, Measure])[] = [
  ["shm", (ranks, plans) => measureOwn(ranks, { collective: "shm", transport: "ipc" }, plans)],
  ["hierarchical", (ranks, plans) => measureOwn(ranks, { collective: "hierarchical", transport: "ipc" }, plans)],
  ["ring-ipc", (ranks, plans) => measureOwn(ranks, { collective: "ring", transport: "ipc" }, plans)],
  ["ring-tcp", (ranks, plans) => measureOwn(ranks, { collective: "ring", transport: "tcp" }, plans)],
];

if (values["install-peers"]) {
  execFileSync("apt-get", ["update", "-qq"], { stdio: ["ignore", "ignore", "inherit"] });
  execFileSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...PEER_PACKAGES], {
    stdio: ["ignore", "ignore", "inherit"],
  });
}
const folder = await mkdtemp(join(tmpdir(), "ringstrasse-allreduce-"));
try {
  const { found, missing } = await findPeers({
    path: process.env["PATH"] ?? "",
    python: values.python ?? null,
    folder,
  });
  const overMpi = await findOwnOverMpi(process.env["PATH"] ?? "");
  const absent = [...new Set([...missing, ...overMpi.missing])];
  for (const what of absent) process.stderr.write(`left out: ${what} (--install-peers brings it)\n`);
  const rows: AllreduceRow[] = [];
  const pairs: (PairRow & { readonly ranks: number })[] = [];
  for (const ranks of values.ranks.split(",").map(Number)) {
    const measured = await measure(ranks, found, overMpi.found);
    rows.push(...measured.rows);
    pairs.push(...measured.pairs.map((pair) => ({ ranks, ...pair })));
  }
  const peers = found.map(({ name, version }) => ({ name, version }));
  process.stdout.write(
    `${JSON.stringify({ bench: "allreduce", machine: machineFacts(), rounds, peers, missing: absent, rows, pairs })}\n`,
  );
  const own = [...OWN.map(([name]) => name), ...overMpi.found.map(({ name }) => name)];
  if (values.svg !== undefined) await writeFile(values.svg, allreduceChart(rows, own));
  if (rows.some(({ wrong }) => wrong > 0)) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function measure(
  ranks: number,
  peers: readonly Peer[],
  overMpi: readonly OwnOverMpi[],
): Promise<{ readonly rows: AllreduceRow[]; readonly pairs: PairRow[] }> {
  const wanted = values.systems?.split(",");
  const others = [...overMpi, ...peers];
  const all = [...OWN, ...others.map(({ name, measure: by }): [string, Measure] => [name, (n, plans) => by(n, plans)])];
  const systems = all.filter(([name]) => wanted?.includes(name) ?? true);
  const measured = new Map<string, Timing[][]>(systems.map(([name]) => [name, []]));
  const copies = new Map<number, number>();
  for (let round = 0; round < rounds; round++) {
    for (const { count, repetitions } of sizes) {
      copies.set(
        count,
        Math.min(copies.get(count) ?? Number.POSITIVE_INFINITY, copyMicroseconds(count * 4, repetitions)),
      );
    }
    for (const [name, by] of systems) measured.get(name)?.push(await by(ranks, sizes));
    process.stderr.write(`${ranks} ranks, round ${round + 1} of ${rounds}\n`);
  }
  const rows = reportRows(ranks, measured, copies);
  const pairs = pairRows(overMpi, measured);
  process.stderr.write(`${ranks} ranks, µs (ratio to Gloo):\n${reportTable(rows)}\n\n${figureTable(rows)}\n`);
  for (const { system, peer, bytes, ratio } of pairs)
    process.stderr.write(`${system} ÷ ${peer}, ${bytes} bytes: ${ratio.toFixed(2)}\n`);
  return { rows, pairs };
}
