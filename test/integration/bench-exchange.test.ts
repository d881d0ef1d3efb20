import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { availableParallelism, platform, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hostsProblem } from "../support/host-network.js";
import { runBench } from "../support/run-bench.js";

const IS_LINUX = platform() === "linux";
const NO_LINK = process.getuid?.() === 0 ? hostsProblem(["tc (iproute2)", "iptables (iptables)"]) : "without root";

interface SystemFigures {
  readonly name: string;
  readonly kind: string;
  readonly stepMs: readonly [number, number, number];
  readonly waitedMs: number | null;
  readonly efficiency: readonly number[] | null;
}

interface ResourceReport {
  readonly role: string;
  readonly name: string;
  readonly after: number;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ringstrasse-test-"));
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

describe.skipIf(!IS_LINUX || availableParallelism() < 2)("bench scaling (needs Linux's taskset and two cores)", () => {
  it("sets two workers against independent ones, which compute the same, and draws them", async () => {
    const svg = join(folder, "scaling.svg");
    const short = ["--networks=mlp", "--batch-sizes=20", "--rounds=2", "--slice=1", "--engine=wasm", "--no-peers"];
    const { exitCode, result } = await runBench("scaling", [...short, "--exchanges=shm,ring-ipc", `--svg=${svg}`]);
    const [only] = result["cases"] as { figures: SystemFigures[]; complaints: string[] }[];
    expect(only?.complaints).toEqual([]);
    expect(exitCode).toBe(0);
    expect(only?.figures.map(({ name, kind }) => [name, kind])).toEqual([
      ["shm", "ranks"],
      ["ring-ipc", "ranks"],
      ["wasm, independent", "independent"],
    ]);
    for (const { stepMs, waitedMs, efficiency, kind } of only?.figures ?? []) {
      expect(stepMs[1]).toBeGreaterThan(0);
      // Who exchanges waits, and is compared with those who don't.
      expect(kind === "ranks" ? (waitedMs ?? 0) : 1).toBeGreaterThan(0);
      expect(efficiency === null).toBe(kind === "independent");
    }
    expect(await readFile(svg, "utf8")).toMatch(/^<svg .*784-528-10, batch 20 per rank.*<\/svg>\s*$/s);
  });
});

describe.skipIf(!IS_LINUX)("bench leaks (needs Linux's /proc)", () => {
  it("watches what every process of a run holds", async () => {
    const { exitCode, result } = await runBench("leaks", ["--exchanges=shm", "--steps=4000"]);
    expect(result["complaints"]).toEqual([]);
    expect(exitCode).toBe(0);
    const [only] = result["results"] as { steps: number; reports: ResourceReport[] }[];
    expect(only?.steps).toBeGreaterThanOrEqual(4000);
    const held = (name: string) => (only?.reports ?? []).filter((report) => report.name === name);
    expect(held("sockets").map(({ role }) => role)).toEqual(expect.arrayContaining(["coordinator", "worker"]));
    // The window of the two workers: the segment of one, mapped by both.
    expect(held("sharedMappings").filter(({ after }) => after > 0)).toHaveLength(2);
  });
});

describe.skipIf(NO_LINK !== null)(
  `bench links (needs root, tc and iptables; here ${NO_LINK ?? "is all of it"})`,
  () => {
    it("sums over a link whose rate holds, and leaves no namespace behind", async () => {
      const args = ["--links=1:0.1", "--bytes=65536,4194304", "--rounds=1", "--systems=ring-tcp,ring-tcp-bf16"];
      const { exitCode, result } = await runBench("links", args);
      expect(result["complaints"]).toEqual([]);
      expect(exitCode).toBe(0);
      const [only] = result["results"] as { rows: { system: string; wrong: number }[]; topology: string[][] }[];
      expect(only?.rows.map(({ system, wrong }) => [system, wrong])).toEqual([
        ["ring-tcp", 0],
        ["ring-tcp", 0],
        ["ring-tcp-bf16", 0],
        ["ring-tcp-bf16", 0],
      ]);
      expect(only?.topology[0]?.join("\n")).toMatch(/tbf.* rate 1Gbit .*random probability 0\.001/s);
      expect(await abandonedNamespaces()).toEqual([]);
    });
  },
);

/** Of benchmarks that have ended. */
async function abandonedNamespaces(): Promise<string[]> {
  const names = await readdir("/run/netns");
  return names.filter((name) => {
    const pid = /^ringstrasse-bench-(\d+)-/.exec(name)?.[1];
    return pid !== undefined && !existsSync(`/proc/${pid}`);
  });
}
