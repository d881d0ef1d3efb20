import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FinishedEvent, FinishedEventSchema } from "../../shared/train-events.js";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CACHE = join(ROOT, "node_modules/.cache/ringstrasse-node");

/** The newest of each line when this was written; pinned, so that a failure is this project's and not a new Node's. */
const VERSIONS = ["20.20.2", "22.23.3", "24.21.0"];

/**
 * The npm package `node` is a script that fetches `node-<platform>-<architecture>` of the same version, which carries the binary;
 * taking that one itself needs no install script.
 */
const PACKAGE = `node-${process.platform}-${process.arch}`;
/** No test has begun yet, and no limit of a test holds: a registry that hangs must not stop them all. */
const INSTALL_MS = 240_000;

/** Path of that version's binary, fetched from the npm registry on first use. @throws when the registry can't give it. */
async function nodeBinary(version: string): Promise<string> {
  const folder = join(CACHE, version);
  const binary = join(folder, "node_modules", PACKAGE, "bin/node");
  if (existsSync(binary)) return binary;
  // In a folder of its own until it is whole: an interrupted installation must not pass for one.
  const partial = `${folder}.${process.pid}`;
  await mkdir(partial, { recursive: true });
  try {
    const options = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts"];
    const install = ["install", "--prefix", partial, ...options, `${PACKAGE}@${version}`];
    await run("npm", install, { cwd: partial, timeout: INSTALL_MS });
    await rm(folder, { recursive: true, force: true });
    await rename(partial, folder);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return binary;
}

const binaries = await Promise.allSettled(VERSIONS.map(nodeBinary));

/** Trains iris on two workers; returns what the last line of output says. */
async function trainIris(binary: string, out: string): Promise<FinishedEvent> {
  const document = join(ROOT, "examples/iris/iris.xml");
  const data = join(ROOT, "examples/iris/iris.csv");
  const flags = [
    "--workers=2",
    "--replicas=4",
    "--epochs=5",
    "--json",
    `--data=${data}`,
    `--out=${out}`,
    `--data-dir=${out}-rows`,
  ];
  const { stdout } = await run(binary, [join(ROOT, "dist/ringstrasse.js"), "train", document, ...flags], {
    cwd: ROOT,
    maxBuffer: 64 * 1024 * 1024,
  });
  return FinishedEventSchema.parse(JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? ""));
}

describe("the same bits on every supported Node", () => {
  let out = "";
  const outcomes = new Map<string, FinishedEvent>();
  beforeAll(async () => {
    out = await mkdtemp(join(tmpdir(), "ringstrasse-node-versions-"));
  });
  afterAll(async () => {
    await rm(out, { recursive: true, force: true });
  });

  for (const [index, version] of VERSIONS.entries()) {
    const binary = binaries[index];
    const why = binary?.status === "rejected" ? ` (npm can't fetch ${PACKAGE}@${version})` : "";
    it.skipIf(why !== "")(`trains on Node ${version}${why}`, async () => {
      if (binary?.status !== "fulfilled") throw new Error(`no binary of Node ${version}`);
      const { stdout } = await run(binary.value, ["--version"]);
      expect(stdout.trim()).toBe(`v${version}`);
      const outcome = await trainIris(binary.value, join(out, version));
      expect(outcome.weightsSha256).toMatch(/^[0-9a-f]{64}$/);
      outcomes.set(version, outcome);
    });
  }

  const available = binaries.filter(({ status }) => status === "fulfilled").length;
  it.skipIf(available < 2)("ends with one hash on all of them (needs two versions)", () => {
    expect(outcomes.size).toBe(available);
    expect(new Set([...outcomes.values()].map(({ weightsSha256 }) => weightsSha256)).size).toBe(1);
    expect(new Set([...outcomes.values()].map(({ stateSha256 }) => stateSha256)).size).toBe(1);
  });
});
