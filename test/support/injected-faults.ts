import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { eventsOf, ROOT, runFailingTrain } from "./run-command.js";
import { temporaryDirectory } from "./temporary-directory.js";

const IRIS = join(ROOT, "examples/iris/iris.xml");

/** Flags of a run of three workers that lasts long enough to be disturbed. */
export async function longRun(...more: string[]): Promise<string[]> {
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

/** Resolves once none of the processes runs any more; the test's own time limit ends a wait that never would. */
export async function allGone(pids: readonly number[]): Promise<void> {
  for (;;) {
    if (pids.every((pid) => !existsSync(`/proc/${pid}`))) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Several heartbeats after the start: they are what the coordinator knows of a worker's step when it dies without a word. */
const STEP = 2000;

export interface InjectedFault {
  readonly kind: string;
  readonly code: string;
  /** Part of the message. */
  readonly says: string;
}

export const FAULTS: readonly InjectedFault[] = [
  { kind: "crash", code: "WORKER_DIED", says: "SIGKILL" },
  { kind: "freeze", code: "WORKER_SILENT", says: "silent" },
  { kind: "hang", code: "WORKER_STALLED", says: "no progress" },
  { kind: "throw", code: "INTERNAL", says: "injected fault at rank" },
];

/** A run whose worker `rank` has the fault ends by it, and leaves nobody behind. */
export async function failsByName(
  { kind, code, says }: InjectedFault,
  rank: number,
  more: readonly string[] = [],
): Promise<void> {
  const timeouts = ["--silence-timeout", "3", "--stall-timeout", "4"];
  const { end, failed } = await runFailingTrain(
    await longRun("--inject-fault", `${kind}@rank=${rank},step=${STEP}`, ...timeouts, ...more),
  );
  expect(end.exitCode).toBe(5);
  // The fault fired, so the failure is not some other one.
  expect(end.stderr).toContain(`injected fault fires: ${kind} at rank ${rank}, step ${STEP}`);
  expect(failed.code).toBe(code);
  expect(failed.message).toContain(says);
  if (code !== "INTERNAL") {
    expect(failed.rank).toBe(rank);
    expect(failed.host).not.toBe("");
    const replicas = `${2 * rank} ${2 * rank + 1}`;
    expect(failed.message).toMatch(new RegExp(`worker rank ${rank} \\(.*replicas ${replicas}\\) in step \\d+`));
  }
  const generation = eventsOf(end.stdout).find((event) => event.event === "generation");
  const pids = generation?.workers.map((worker) => worker.pid ?? 0) ?? [];
  expect(pids).toHaveLength(3);
  await allGone(pids);
}
