import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it, onTestFinished } from "vitest";
import { OutputHold } from "../../../../coordinator/output/output-hold.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

async function stateOf(pid: number): Promise<string[]> {
  const status = await readFile(`/proc/${pid}/stat`, "utf8");
  return status.slice(status.lastIndexOf(")") + 2).split(" ");
}

/**
 * A process that has ended, and whose parent never asks how: it ends once its parent is no shell any more, which would ask.
 * @returns its lock
 */
async function unreaped(): Promise<string> {
  const script = "read _ <&3 & echo $!; exec sleep 1000 3<&-";
  const parent = spawn("sh", ["-c", script], { stdio: ["ignore", "pipe", "ignore", "pipe"] });
  onTestFinished(() => void parent.kill("SIGKILL"));
  const [said] = await once(parent.stdout!.setEncoding("utf8"), "data");
  const pid = Number(said);
  while ((await readFile(`/proc/${parent.pid}/comm`, "utf8")).trim() !== "sleep");
  parent.stdio[3]!.destroy();
  let fields = await stateOf(pid);
  while (fields[0] !== "Z") fields = await stateOf(pid);
  const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8");
  return JSON.stringify({ host: hostname(), pid, started: `${boot.trim()} ${fields[19]}` });
}

describe("the hold on an output directory", () => {
  it("is one run's at a time, which the others are told by its process, and leaves nothing behind", async () => {
    const path = await temporaryDirectory();
    {
      await using first = new OutputHold();
      await first.take(path);
      await using second = new OutputHold();
      const refused = await failureWithCode("OUTPUT_UNWRITABLE", () => second.take(path));
      expect(refused).toMatchObject({ path, problem: `process ${process.pid} on ${hostname()} is writing a run here` });
      expect(refused.remedy).toContain("--out");
    }
    expect(await readdir(path)).toEqual([]);
    await using third = new OutputHold();
    await third.take(path);
  });

  it("is taken over from another host, where nobody here can know, and from a process that is dead but not buried", async () => {
    const elsewhere = JSON.stringify({ host: "elsewhere", pid: 1, started: null });
    for (const dead of [elsewhere, await unreaped()]) {
      const path = await temporaryDirectory();
      await writeFile(join(path, ".run.lock"), dead);
      await using hold = new OutputHold();
      await hold.take(path);
      expect(JSON.parse(await readFile(join(path, ".run.lock"), "utf8"))).toMatchObject({ pid: process.pid });
    }
  });

  it("can't be had where nothing can be written", async () => {
    await using hold = new OutputHold();
    await failureWithCode("OUTPUT_UNWRITABLE", () => hold.take("/nowhere"));
  });
});
