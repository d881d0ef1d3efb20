import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HostNetwork, hostsProblem } from "../support/host-network.js";
import { SlurmCluster, slurmProblem } from "../support/slurm-cluster.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ringstrasse-test-"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/** Puts a command before those of the search path. */
async function replace(command: string, script: string): Promise<void> {
  const path = process.env["PATH"] ?? "";
  await writeFile(join(folder, command), `#!/bin/sh\nPATH='${path}'\n${script}\n`);
  await chmod(join(folder, command), 0o755);
  vi.stubEnv("PATH", `${folder}:${path}`);
}

/** The folder of what didn't come up. */
async function failedFolder(start: Promise<AsyncDisposable>): Promise<string> {
  const message = await start.then(
    () => "",
    (thrown: unknown) => String(thrown),
  );
  return /slurm-cluster\.sh (?:hosts|up) (\S+)/.exec(message)?.[1] ?? "";
}

async function expectNothingOf(network: string): Promise<void> {
  expect(network).toContain("rs-");
  expect(existsSync(network)).toBe(false);
  const { stdout } = await promisify(execFile)("ip", ["netns", "list"]);
  expect(stdout).not.toContain(basename(network));
  expect(processesWith(network)).toEqual([]);
}

/** Command lines that name it. */
function processesWith(text: string): string[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map(commandLineOf).filter((line) => line.includes(text));
}

function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    // It has ended meanwhile.
    return "";
  }
}

const NO_HOSTS = hostsProblem();
describe.skipIf(NO_HOSTS !== null)(`hosts that don't come up (${NO_HOSTS ?? "namespaces"})`, () => {
  it("leave neither namespaces nor a folder", async () => {
    await replace("ip", 'case "$*" in "netns add "*-node1) exit 1;; esac\nexec ip "$@"');
    await expectNothingOf(await failedFolder(HostNetwork.start(1)));
  });
});

const NO_SLURM = slurmProblem();
describe.skipIf(NO_SLURM !== null)(`a Slurm whose nodes don't come up (${NO_SLURM ?? "a real one"})`, () => {
  it("leaves no daemon either", async () => {
    await replace("slurmd", "exec sleep 600");
    await expectNothingOf(await failedFolder(SlurmCluster.start(1)));
  });
});
