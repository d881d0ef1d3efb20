import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { allGone, FAULTS, failsByName, longRun } from "../support/injected-faults.js";
import { eventsOf, startCommand } from "../support/run-command.js";

/** Worker processes of the run with this coordinator, as the launcher names them. */
function workersOf(coordinatorPid: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter(
      (pid) => commandLine(pid).includes("ringstrasse worker") && commandLine(pid).includes(`-${coordinatorPid}-`),
    );
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

describe("a failing worker fails the job by name", () => {
  for (const fault of FAULTS) {
    it(`${fault.kind} is told as ${fault.code}, with rank, host, replicas and step; nobody is left behind`, () =>
      failsByName(fault, 1));
  }
});

describe("ending a run", () => {
  it("Ctrl-C ends it cleanly: exit 130, no workers, no result", async () => {
    const args = await longRun("--json");
    const run = startCommand(["train", ...args]);
    await run.until((stdout) => stdout.includes('"event":"step"'));
    const pids = workersOf(run.child.pid ?? 0);
    expect(pids).toHaveLength(3);
    // As a terminal does: to the whole group of processes.
    for (const pid of [...pids, run.child.pid ?? 0]) process.kill(pid, "SIGINT");
    const end = await run.ended;
    expect(end.exitCode).toBe(130);
    expect(eventsOf(end.stdout).at(-1)).toMatchObject({ event: "failed", code: "INTERRUPTED" });
    await allGone(pids);
    const out = args[args.indexOf("--out") + 1] ?? "";
    expect(readdirSync(out).filter((name) => name === "model" || name === "result.json")).toEqual([]);
  });

  it("a coordinator that is killed takes its workers along, even a hanging one", async () => {
    const run = startCommand(["train", ...(await longRun("--inject-fault", "hang@rank=2,step=5"))]);
    await run.until((_, stderr) => stderr.includes("injected fault fires: hang"));
    const pids = workersOf(run.child.pid ?? 0);
    expect(pids).toHaveLength(3);
    run.child.kill("SIGKILL");
    await run.ended;
    await allGone(pids);
  });

  it("a worker that is killed from outside is named", async () => {
    const run = startCommand(["train", ...(await longRun("--json"))]);
    await run.until((stdout) => stdout.includes('"event":"step"'));
    const [victim = 0] = workersOf(run.child.pid ?? 0);
    // A polite signal would be the run's own: a worker waits a while for what its coordinator makes of that.
    process.kill(victim, "SIGKILL");
    const end = await run.ended;
    expect(end.exitCode).toBe(5);
    expect(eventsOf(end.stdout).at(-1)).toMatchObject({ event: "failed", code: "WORKER_DIED" });
    expect(eventsOf(end.stdout).at(-1)).toHaveProperty("message", expect.stringContaining(`pid ${victim}`));
  });
});
