import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { ROOT } from "../support/run-command.js";

const BENCHES = readdirSync(join(ROOT, "bench"))
  .filter((name) => name.endsWith(".ts"))
  .map((name) => basename(name, ".ts"));

/** What some can't do without; nothing looks into them. */
const NEEDED = ["--document=d", "--data=d"];

interface Ended {
  readonly exitCode: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

function run(bench: string, ...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const entry = join(ROOT, `dist/bench/${bench}.js`);
    execFile(process.execPath, [entry, ...args], { cwd: ROOT }, (error, stdout, stderr) => {
      resolve({ exitCode: error === null ? 0 : error.code, stdout, stderr });
    });
  });
}

describe("the benchmarks", () => {
  it("are all here", () => {
    expect(BENCHES).toContain("scaling");
  });

  it.each(BENCHES)("%s says what it does, and what it can be told", async (bench) => {
    const { exitCode, stdout, stderr } = await run(bench, "--nonsense", "--help");
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(new RegExp(`^npm run bench:${bench} -- \\[options\\]\n\n.{40}`));
    expect(stdout).toMatch(/\n {2}--[a-z-]+ [A-Z].* \(default: .+\)/);
    expect(stdout).toContain(`Examples:\n  npm run bench:${bench} -- --`);
  });

  it.each(BENCHES)("%s refuses what it doesn't know in one line", async (bench) => {
    const { exitCode, stdout, stderr } = await run(bench, "--nonsense");
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(stderr).toBe(`bench:${bench}: Unknown option '--nonsense'. See: npm run bench:${bench} -- --help\n`);
  });

  it.each([
    ["scaling", ["--rounds=many"], '--rounds "many" is not accepted: a whole number is needed'],
    ["scaling", ["--networks=mlp,rnn"], '--networks "mlp,rnn" is not accepted: one of mlp, cnn is needed'],
    ["false-alarms", ["--minutes=0"], '--minutes "0" is not accepted: a number above 0 is needed'],
    ["links", ["--links=1,fast"], '--links "1,fast" is not accepted: "fast" is not GBPS or GBPS:LOSS_PERCENT'],
    ["allreduce", ["--systems=shm,teleport"], '--systems "shm,teleport" is not accepted: one of shm, hierarchical,'],
    ["allreduce", ["--systems=ring-tcp-encrypted"], "--systems ring-tcp-encrypted needs --encrypt"],
    ["links", ["--systems=shm"], '--systems "shm" is not accepted: one of ring-tcp, ring-tcp-bf16, gloo is needed'],
    ["strategies", [], "--data is needed: "],
    ["strategies", [...NEEDED, "--test-data=t", "--workers=1"], '--workers "1" is not accepted: at least 2'],
    ["simulate", ["--latency-us=0"], '--latency-us "0" is not accepted: a number above 0 is needed'],
    ["simulate", ["--loss=1"], '--loss "1" is not accepted: a number below 1 is needed'],
    [
      "speed-up",
      [...NEEDED, "--batch-sizes=100,101"],
      '--batch-sizes "100,101" is not accepted: an even number is needed',
    ],
    ["train", ["--memory", "--steps=3000"], '--steps "3000" is not accepted: at least 4000'],
    ["simulate", ["--gbps"], "Option '--gbps <value>' argument missing"],
    ["memory", ["much"], "Unexpected argument 'much'"],
    ["allreduce", ["--from=earlier.json"], "--from draws an earlier result, and --svg FILE is missing"],
  ])("%s refuses %j", async (bench, args, problem) => {
    const { exitCode, stdout, stderr } = await run(bench, ...args);
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(stderr.startsWith(`bench:${bench}: ${problem}`), stderr).toBe(true);
    expect(stderr.trimEnd()).not.toContain("\n");
  });
});
