import type { Failure } from "../../shared/failure.js";
import type { BatchState } from "./batch-scheduler.js";

/** A job in the hands of a batch system, as its keeper knows it after a look. */
export interface BatchView {
  /** As the run's reports have left it. */
  readonly status: "QUEUED" | "INPROGRESS";
  readonly state: BatchState;
  /** Whether the run itself has said that it failed. */
  readonly hasReported: boolean;
  /** Since it was first seen that the batch job is over; 0: it is not. */
  readonly overForMs: number;
  /** Whether the server can't take in what its run has reported, so that nobody knows yet what that says of its end. */
  readonly isHeldUp: boolean;
  /** Whether it waited at the look before, too, whose reports have been taken in since. */
  readonly hasWaited: boolean;
}

/** `lookSoon`: wait, but for a shorter time. */
export type BatchDecision = "wait" | "lookSoon" | "waitsAgain" | "failed";

/**
 * Reports may be seen late: shared file systems keep what they know of a folder for up to a minute (NFS: acdirmax). A batch job that is
 * over counts as failed without a word only after that. Reports that are seen, and that the server has no room for, wait for as long as it takes.
 */
export const REPORT_GRACE_MS = 90_000;

/**
 * What becomes of a job. How a batch job ends the batch system says, why the run says: a run that reports its failure may be started
 * again (at its time limit, or when a node is lost), so nothing has failed before the batch job is over. That a run has finished it says
 * itself, and needs no decision. A run whose batch job waits again may have reports on their way that belong before that: hence a second look.
 * Pure.
 */
export function decideBatch(view: BatchView): BatchDecision {
  const { status, state, hasReported, overForMs, isHeldUp, hasWaited } = view;
  switch (state.kind) {
    case "running":
      return "wait";
    case "waiting":
      if (status === "QUEUED") return "wait";
      return hasWaited ? "waitsAgain" : "lookSoon";
    case "ended":
    case "unknown":
      if (isHeldUp) return "wait";
      return hasReported || overForMs >= REPORT_GRACE_MS ? "failed" : "wait";
  }
}

const REMEDIES: Readonly<Record<string, string>> = {
  TIMEOUT: "Queue it again: it begins anew. Serve with a longer --time, so that it has the time to save its state",
  OUT_OF_MEMORY: "Give its ranks more memory (a partition with larger nodes), or the job a smaller batch size",
  CANCELLED: "Somebody has cancelled it outside of this service; queue it again when that was a mistake",
  NODE_FAIL: "Queue it again: it begins anew",
  PREEMPTED: "Queue it again (it begins anew), or serve with another --partition",
};

/** The failure of a batch job that is over without its run's having finished. Pure. */
export function batchFailure(
  batchJob: string,
  state: BatchState,
  { reported, lastWords, log }: { reported: string | null; lastWords: string | null; log: string },
): Failure {
  const isEnded = state.kind === "ended";
  const word = isEnded ? state.state : "UNKNOWN";
  const ending = isEnded
    ? `it ended${state.exitCode === null ? "" : ` with exit code ${state.exitCode}`}, and the run has not said why`
    : "the batch system does not know it any more, and the run has not said how it ended";
  const problem = (lastWords ?? reported ?? ending).replace(/\.$/, "");
  const remedy = REMEDIES[word] ?? `Look at ${log}`;
  return { code: "BATCH_FAILED", batchJob, state: word, problem, remedy };
}

/** What a log's last line from this software says, without who says it; null: there is none. Pure. */
export function lastWordsOf(log: string): string | null {
  const line = log.split("\n").findLast((each) => each.startsWith("ringstrasse: "));
  return line === undefined ? null : line.slice("ringstrasse: ".length).trim();
}

/** Reasons to wait that pass by themselves. */
const PASSING = new Set(["", "None", "Priority", "Resources", "BeginTime", "Cleaning"]);

/** Whether a person should be told why a batch job waits. Pure. */
export function isWorthTelling(reason: string): boolean {
  return !PASSING.has(reason);
}
