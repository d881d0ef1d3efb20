import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { eventsOf, ROOT, runFailingTrain, startCommand } from "../support/run-command.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const IRIS = join(ROOT, "examples/iris/iris.xml");

/** Flags of a run that lasts long enough to be disturbed. */
async function longRun(...more: string[]): Promise<string[]> {
  const folder = await temporaryDirectory();
  const out = ["--out", join(folder, "run"), "--data-dir", join(folder, "rows")];
  return [
    IRIS,
    "--workers",
    "3",
    "--replicas",
    "6",
    "--epochs",
    "1000000",
    "--evaluate-every",
    "1000000",
    ...out,
    ...more,
  ];
}

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

/** Resolves once none of the processes runs any more; the test's own time limit ends a wait that never would. */
async function allGone(pids: readonly number[]): Promise<void> {
  for (;;) {
    if (pids.every((pid) => !existsSync(`/proc/${pid}`))) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Several heartbeats after the start: they are what the coordinator knows of a worker's step when it dies without a word. */
const STEP = 2000;
const FAULTS = [
  { kind: "crash", code: "WORKER_DIED", says: "SIGKILL" },
  { kind: "freeze", code: "WORKER_SILENT", says: "silent" },
  { kind: "hang", code: "WORKER_STALLED", says: "no progress" },
  { kind: "throw", code: "INTERNAL", says: "injected fault at rank 1" },
] as const;

describe("a failing worker fails the job by name", () => {
  for (const { kind, code, says } of FAULTS) {
    it(`${kind} is told as ${code}, with rank, host, replicas and step; nobody is left behind`, async () => {
      const timeouts = ["--silence-timeout", "3", "--stall-timeout", "4"];
      const { end, failed } = await runFailingTrain(
        await longRun("--inject-fault", `${kind}@rank=1,step=${STEP}`, ...timeouts),
      );
      expect(end.exitCode).toBe(5);
      // The fault fired, so the failure is not some other one.
      expect(end.stderr).toContain(`injected fault fires: ${kind} at rank 1, step ${STEP}`);
      expect(failed.code).toBe(code);
      expect(failed.message).toContain(says);
      if (code !== "INTERNAL") {
        expect(failed.rank).toBe(1);
        expect(failed.host).not.toBe("");
        expect(failed.message).toMatch(/worker rank 1 \(.*replicas 2 3\) in step \d+/);
      }
      const generation = eventsOf(end.stdout).find((event) => event.event === "generation");
      const pids = generation?.workers.map((worker) => worker.pid ?? 0) ?? [];
      expect(pids).toHaveLength(3);
      await allGone(pids);
    });
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
