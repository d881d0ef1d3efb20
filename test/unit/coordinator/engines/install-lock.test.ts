import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { acquireInstallLock } from "../../../../coordinator/engines/install-lock.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

async function lockPath(): Promise<string> {
  return join(await temporaryDirectory(), "install.lock");
}

describe("the install lock", () => {
  it("is held by one at a time, and leaves nothing behind", async () => {
    const path = await lockPath();
    {
      await using _first = await acquireInstallLock("tensorflow", path);
      const refused = await failureWithCode("ENGINE_UNAVAILABLE", () => acquireInstallLock("tensorflow", path));
      expect(refused.problem).toBe(`another process (${process.pid} on ${hostname()}) is installing or removing it`);
    }
    await using _second = await acquireInstallLock("tensorflow", path);
    expect(await readdir(join(path, ".."))).toEqual(["install.lock"]);
  });

  it("has one winner among many, also over a dead holder, time after time", async () => {
    const path = await lockPath();
    for (let round = 0; round < 40; round++) {
      await writeFile(path, JSON.stringify({ host: hostname(), pid: 2 ** 30, started: "never" }));
      const tries = await Promise.allSettled(Array.from({ length: 8 }, () => acquireInstallLock("tensorflow", path)));
      const won = tries.filter((one) => one.status === "fulfilled");
      expect([round, won.length]).toEqual([round, 1]);
      expect(await readdir(join(path, ".."))).toEqual(["install.lock"]);
      for (const { value } of won) await value[Symbol.asyncDispose]();
    }
  });

  it("is taken over also from one that was killed while it removed a dead lock", async () => {
    const path = await lockPath();
    const dead = (pid: number): string => JSON.stringify({ host: hostname(), pid, started: "never" });
    await writeFile(path, dead(2 ** 30));
    const right = createHash("sha256")
      .update(dead(2 ** 30))
      .digest("hex")
      .slice(0, 16);
    await writeFile(`${path}.removal-${right}`, dead(2 ** 30 + 1));
    await using _lock = await acquireInstallLock("tensorflow", path);
    expect(await readdir(join(path, ".."))).toEqual(["install.lock"]);
  });

  it("is taken over from a process that was killed, and from one whose number is used again", async () => {
    const path = await lockPath();
    const child = spawn(process.execPath, ["-e", "setInterval(() => 0, 1e6)"], { stdio: "ignore" });
    await once(child, "spawn");
    const status = await readFile(`/proc/${child.pid}/stat`, "utf8");
    const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8");
    const started = `${boot.trim()} ${status.slice(status.lastIndexOf(")") + 2).split(" ")[19]}`;
    const holder = JSON.stringify({ host: hostname(), pid: child.pid, started });
    await writeFile(path, holder);
    await failureWithCode("ENGINE_UNAVAILABLE", () => acquireInstallLock("tensorflow", path));
    child.kill("SIGKILL");
    await once(child, "close");
    await (await acquireInstallLock("tensorflow", path))[Symbol.asyncDispose]();
    // This process has the number now, but started at another time.
    await writeFile(path, JSON.stringify({ host: hostname(), pid: process.pid, started: `${boot.trim()} 1` }));
    await (await acquireInstallLock("tensorflow", path))[Symbol.asyncDispose]();
    expect(await readdir(join(path, ".."))).toEqual([]);
  });

  it("is not taken from another host, but says which file to delete", async () => {
    const path = await lockPath();
    await writeFile(path, JSON.stringify({ host: "elsewhere", pid: 1, started: null }));
    const refused = await failureWithCode("ENGINE_UNAVAILABLE", () => acquireInstallLock("tensorflow", path));
    expect(refused.problem).toContain("(1 on elsewhere)");
    expect(refused.remedy).toContain(`if that process is gone, delete ${path}`);
  });
});
