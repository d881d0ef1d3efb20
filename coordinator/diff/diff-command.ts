import { RingstrasseError } from "../../shared/failure.js";
import { compareRuns } from "./compare-runs.js";
import { describeComparison } from "./describe-comparison.js";
import { readHashLog } from "./read-hash-log.js";
import type { RunComparison } from "./run-difference.js";

export interface DiffOutcome {
  /** For people; ends with a line end. */
  readonly text: string;
  /** For programs: one object. */
  readonly json: { readonly runA: string; readonly runB: string; readonly identical: boolean } & RunComparison;
  /** Whether the runs are bit for bit alike in all that the logs hold. */
  readonly identical: boolean;
}

/**
 * `ringstrasse diff RUN_A RUN_B`. A difference is a result, not a failure: as diff(1) does, the command exits 0 when the runs are
 * identical, 1 when they differ, and 2 when there is nothing to compare (3 when a log is missing or damaged).
 * @throws RingstrasseError USAGE when the runs can't be compared; INPUT_MISSING or DATA_INVALID for a log.
 */
export async function runDiff(pathA: string, pathB: string): Promise<DiffOutcome> {
  await using a = await readHashLog(pathA);
  await using b = await readHashLog(pathB);
  const comparison = await compareRuns(a, b);
  const { result } = comparison;
  const text = describeComparison({ a: pathA, b: pathB }, comparison);
  if (result.kind === "incomparable") {
    throw new RingstrasseError({
      code: "USAGE",
      option: null,
      problem: `${pathA} and ${pathB} ${text.trimEnd()}`,
      remedy: "Compare runs of one network with the same number of replicas and the same optimizer",
    });
  }
  const identical = result.kind === "identical";
  return { text, json: { runA: pathA, runB: pathB, identical, ...comparison }, identical };
}
