import type { BatchState } from "./batch-scheduler.js";

/** A line about one job. */
export interface SlurmJob {
  readonly id: string;
  readonly name: string;
  readonly state: BatchState;
}

/** Asks `squeue` for what {@link parseJobs} reads: number, state, status as of `wait`, reason, name. */
export const SQUEUE_ARGUMENTS = [
  "--me",
  "--states=all",
  "--noheader",
  "--Format=JobID:|,State:|,exit_code:|,Reason:|,Name:250|",
] as const;

/** Asks `sacct` for what {@link parseAccounted} reads: number, state, exit code and signal. */
export const SACCT_ARGUMENTS = [
  "--noheader",
  "--parsable2",
  "--allocations",
  "--format=JobIDRaw,State,ExitCode",
] as const;

const WAITING = new Set(["PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT"]);
const ENDED = new Set([
  "BOOT_FAIL",
  "CANCELLED",
  "COMPLETED",
  "DEADLINE",
  "FAILED",
  "NODE_FAIL",
  "OUT_OF_MEMORY",
  "PREEMPTED",
  "REVOKED",
  "TIMEOUT",
]);

/** Pure. @param output of `squeue` with {@link SQUEUE_ARGUMENTS} @returns null when it is something else */
export function parseJobs(output: string): SlurmJob[] | null {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  const jobs = lines.map(parseJob);
  return jobs.every((job) => job !== null) ? jobs : null;
}

function parseJob(line: string): SlurmJob | null {
  const [id = "", state, status = "", reason, ...name] = line.split("|").map((field) => field.trim());
  if (!/^\d+$/.test(id) || !/^\d*$/.test(status) || state === undefined || reason === undefined) return null;
  // As `wait` tells it: the signal in the low seven bits, the exit code in the next byte.
  const waited = Number(status);
  const exitCode = status === "" || (waited & 0x7f) !== 0 ? null : (waited >> 8) & 0xff;
  return { id, name: name.join("|").replace(/\|$/, ""), state: stateOf(state, reason, exitCode) };
}

/** Pure. @param output of `sacct` with {@link SACCT_ARGUMENTS} @returns by the jobs' numbers; lines that are none are left out */
export function parseAccounted(output: string): ReadonlyMap<string, BatchState> {
  const found = output.split("\n").flatMap((line): [string, BatchState][] => {
    // `CANCELLED by 0` is one state.
    const [id = "", state = "", status = ""] = line.split("|");
    const [, code, signal] = /^(\d+):(\d+)$/.exec(status) ?? [];
    if (!/^\d+$/.test(id) || state === "") return [];
    return [[id, stateOf(state.split(" ")[0] ?? "", "", code === undefined || signal !== "0" ? null : Number(code))]];
  });
  return new Map(found);
}

/** What is neither waiting nor over counts as running: it holds nodes, or is about to. */
function stateOf(state: string, reason: string, exitCode: number | null): BatchState {
  if (WAITING.has(state)) return { kind: "waiting", reason };
  return ENDED.has(state) ? { kind: "ended", state, exitCode } : { kind: "running" };
}
