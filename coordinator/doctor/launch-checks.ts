import { availableParallelism } from "node:os";
import type { LaunchedPlace } from "../../shared/launch/launched-place.js";
import { limitsCheck } from "./check-limits.js";
import { namesCheck } from "./check-names.js";
import { runDirectoryCheck } from "./check-run-directory.js";
import type { Finding, MachineCheck } from "./finding.js";

/** Names are in a file, or with a resolver that is near; the run doesn't wait for another. */
const NAME_PATIENCE_MS = 50;

export interface Launch {
  readonly place: LaunchedPlace;
  /** Of each rank. */
  readonly threads: number;
  /** Where the run is kept. */
  readonly out: string;
}

/**
 * What rank 0 looks at before a run that a launcher has started: what takes no process, no file and no measurement. Some milliseconds.
 * @returns what the user should know
 */
export async function checkLaunch({ place, threads, out }: Launch): Promise<Finding[]> {
  const checks: MachineCheck[] = [
    limitsCheck(availableParallelism(), place.localSize ?? 1, threads),
    runDirectoryCheck(out, false),
    // Ranks of one host meet without names.
    ...(place.isOneHost ? [] : [namesCheck(NAME_PATIENCE_MS)]),
  ];
  const findings = await Promise.all(checks.map((check) => check()));
  return findings.flat().filter(({ status }) => status === "warning" || status === "problem");
}

/** As a line of a run. */
export function describeFinding({ check, found, remedy }: Finding): string {
  return remedy === null ? `${check}: ${found}` : `${check}: ${found}. ${remedy}`;
}
