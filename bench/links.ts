/**
 * All-reduce of float32 sums between two hosts, over links of a limited rate and links that lose packets: the product's ring over tcp, with
 * float32 and with bf16 on the wire, against Gloo (through PyTorch), in alternating rounds. The hosts are network namespaces of this machine
 * that the benchmark makes and takes down (Linux, as root; packages iproute2 and iptables); what the kernel says of them, before and
 * after, is part of the result. One line of JSON on stdout, tables on stderr; `--svg FILE` draws it. Exit code 1 when a sum is wrong, a system fails, or
 * more than the rate went over a link. About 13 minutes.
 *
 *     npm run bench:links -- --links 1,4,1:0.1 --svg docs/images/links.svg > links.json
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { z } from "zod";
import { filePath, wholeNumber } from "../shared/cli/option-table.js";
import { type AllreduceRow, BASELINE, figureTable, reportRows, reportTable } from "./allreduce/allreduce-report.js";
import { allreduceChart } from "./allreduce/chart-of-allreduce.js";
import { describeLink, excessOver, type LinkShape, readLinkShape, slowestOver } from "./allreduce/link-shape.js";
import { type Measure, measureSystems } from "./allreduce/measure-systems.js";
import { measureOwn, type OwnSystem } from "./allreduce/own-system.js";
import { findGloo, type Peer } from "./allreduce/peer-systems.js";
import { ShapedLink } from "./allreduce/shaped-link.js";
import { linkSizePlan, warmUpPlan } from "./allreduce/size-plan.js";
import { benchOptions, listOf, namesOf } from "./support/bench-options.js";
import { exitOnSignals } from "./support/exit-on-signals.js";
import { machineFacts } from "./support/machine-facts.js";

const linkShape = z.string().transform((text, context) => {
  try {
    return readLinkShape(text);
  } catch (cause) {
    context.addIssue({ code: "custom", message: cause instanceof Error ? cause.message : String(cause) });
    return z.NEVER;
  }
});
exitOnSignals();
const values = benchOptions({
  name: "links",
  describe:
    "All-reduce of float32 sums between two hosts, over links of a limited rate and links that lose packets: the product's ring over tcp, with float32 and with bf16 on the wire, against Gloo. The hosts are network namespaces (Linux, as root; packages iproute2 and iptables). About 13 minutes. One line of JSON, tables on stderr; exit code 1 when a sum is wrong, a system fails, or more than the rate went over a link.",
  options: {
    links: {
      describe: "Gbit/s each, and behind a colon per cent of packets lost",
      schema: listOf(linkShape),
      placeholder: "GBPS[:LOSS],…",
      default: "1,4,1:0.1",
    },
    bytes: {
      describe: "Sizes",
      schema: listOf(wholeNumber(4)),
      placeholder: "N,…",
      default: "65536,1740800,26214400,104857600",
    },
    rounds: { describe: "In which systems alternate", schema: wholeNumber(1), placeholder: "N", default: "5" },
    systems: {
      describe: "Instead of all: ring-tcp, ring-tcp-bf16, gloo",
      schema: namesOf(["ring-tcp", "ring-tcp-bf16", "gloo"]),
      placeholder: "NAME,…",
    },
    python: { describe: "A Python that has torch; else the first on the path", schema: filePath, placeholder: "FILE" },
    svg: { describe: "Where the result is drawn", schema: filePath, placeholder: "FILE" },
  },
  examples: [["--links 1,4,1:0.1 --svg docs/images/links.svg > links.json", ""]],
});
const RANKS = 2;
const OWN: Readonly<Record<string, OwnSystem>> = {
  "ring-tcp": { collective: "ring", transport: "tcp" },
  "ring-tcp-bf16": { collective: "ring", transport: "tcp", format: "bf16" },
};
const sizes = values.bytes.map(linkSizePlan);
const { rounds } = values;

interface MeasuredLink {
  readonly link: LinkShape;
  /** Before and after, as the kernel tells it. */
  readonly topology: readonly [before: readonly string[], after: readonly string[]];
  readonly peers: readonly Pick<Peer, "name" | "version">[];
  /** Why a peer takes no part. */
  readonly missing: readonly string[];
  /** Names of who was measured, round by round. */
  readonly orders: readonly (readonly string[])[];
  readonly rows: readonly AllreduceRow[];
  readonly complaints: readonly string[];
}

const folder = await mkdtemp(join(tmpdir(), "ringstrasse-links-"));
try {
  const results: MeasuredLink[] = [];
  for (const link of values.links) results.push(await measured(link));
  const complaints = results.flatMap((result) => result.complaints);
  process.stdout.write(
    `${JSON.stringify({ bench: "links", machine: machineFacts(), ranks: RANKS, rounds, results, complaints })}\n`,
  );
  const panels = results.map(({ link, rows }) => ({ title: describeLink(link), rows }));
  const own = Object.keys(OWN);
  if (values.svg !== undefined)
    await writeFile(values.svg, allreduceChart({ panels, own, where: "two ranks, each in a network namespace" }));
  for (const complaint of complaints) process.stderr.write(`${complaint}\n`);
  if (complaints.length > 0) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function measured(shape: LinkShape): Promise<MeasuredLink> {
  const what = describeLink(shape);
  await using link = await ShapedLink.start(shape);
  const before = await link.topology();
  process.stderr.write(`${what}\n${before.join("\n")}\n`);
  const { found, missing } = await peersOver(link);
  for (const absent of missing) process.stderr.write(`left out: ${absent}\n`);
  const all: (readonly [string, Measure])[] = [
    ...Object.entries(OWN).map(([name, own]): [string, Measure] => {
      return [name, (plans, limitMs) => measureOwn(own, { ranks: RANKS, sizes: plans, limitMs, hosts: link })];
    }),
    ...found.map((peer): [string, Measure] => [peer.name, (plans, limitMs) => peer.measure(RANKS, plans, limitMs)]),
  ];
  const wanted: readonly string[] = values.systems ?? all.map(([name]) => name);
  const systems = all.filter(([name]) => wanted.includes(name));
  const lacking = wanted.filter((name) => !all.some(([here]) => here === name));
  const onRound = (round: number) => process.stderr.write(`${what}: round ${round} of ${rounds}\n`);
  const {
    measured: timings,
    orders,
    copies,
    failures,
  } = await measureSystems({ systems, sizes, warmUp: warmUpPlan(true), rounds, slowest: slowestOver(shape), onRound });
  const rows = reportRows(RANKS, timings, copies);
  process.stderr.write(`${what}, µs (ratio to Gloo):\n${reportTable(rows)}\n\n${figureTable(rows)}\n`);
  const wrong = rows.filter((row) => row.wrong > 0);
  const fast = rows.filter(({ system }) => system === BASELINE || OWN[system]?.format === undefined);
  const complaints = [
    ...lacking.map((name) => `${what}: ${name} was asked for, and is not here`),
    ...[...failures].map(([name, message]) => `${what}: ${name} failed: ${message}`),
    ...wrong.map((row) => `${what}: ${row.wrong} wrong sums by ${row.system} at ${row.bytes} bytes`),
    ...fast.flatMap((row) => excessOver(shape, row) ?? []).map((text) => `${what}: ${text}`),
  ];
  const peers = found.map(({ name, version }) => ({ name, version }));
  return { link: shape, topology: [before, await link.topology()], peers, missing, orders, rows, complaints };
}

/** Gloo, or why it takes no part. */
async function peersOver(link: ShapedLink): Promise<{ readonly found: Peer[]; readonly missing: string[] }> {
  try {
    const place = { path: process.env["PATH"] ?? "", python: values.python ?? null, folder };
    return { found: [await findGloo(place, link)], missing: [] };
  } catch (thrown) {
    return { found: [], missing: [thrown instanceof Error ? thrown.message : String(thrown)] };
  }
}
