import { switchIsOn } from "../../shared/cli/option-table.js";
import { parseCommand } from "../../shared/cli/parse-command.js";
import { toFailure } from "../../shared/failure.js";
import { nameProcess } from "../../shared/name-process.js";
import { encodeTrainEvent, failedEvent } from "../../shared/train-events.js";
import { VERSION } from "../../shared/version.js";
import type { SubmitSurroundings } from "../submit/submit-slurm.js";
import { SUBMIT_COMMAND, SWEEP_COMMAND } from "./commands.js";
import { print, report, written } from "./standard-streams.js";

/** What commands of batch jobs take from the process. */
export type BatchSurroundings = Omit<SubmitSurroundings, "stamp">;

/** `ringstrasse submit`. @returns the process's exit code */
export async function submitMain(args: readonly string[], around: BatchSurroundings): Promise<number> {
  nameProcess("ringstrasse coordinator submit");
  const { environment } = around;
  const json = switchIsOn("json", args, environment);
  try {
    const command = await parseCommand(SUBMIT_COMMAND, { args, environment, version: VERSION });
    if ("print" in command) return print(command.print);
    const { submitSlurm } = await import("../submit/submit-slurm.js");
    const { describeSubmitted } = await import("../submit/describe-submitted.js");
    const stamp = new Date().toISOString().replaceAll(/[-:]/g, "").slice(0, 15);
    const submitted = await submitSlurm(command, { ...around, stamp });
    return print(json ? JSON.stringify({ event: "submitted", ...submitted }) : describeSubmitted(submitted));
  } catch (thrown) {
    const failure = toFailure(thrown);
    if (json) print(encodeTrainEvent(failedEvent(failure)));
    return report(failure);
  }
}

/** `ringstrasse sweep`. @returns the process's exit code @throws RingstrasseError as `readSweep` */
export async function sweepMain(args: readonly string[], { environment }: BatchSurroundings): Promise<number> {
  const command = await parseCommand(SWEEP_COMMAND, { args, environment, version: VERSION });
  if ("print" in command) return print(command.print);
  const { readSweep, sweepRows } = await import("../submit/sweep-summary.js");
  const { columnTable } = await import("./summary-table.js");
  const summary = await readSweep(command.positionals[0] ?? "");
  const { head, rows } = sweepRows(summary);
  await written(command.values.json === true ? JSON.stringify(summary) : columnTable(head, rows));
  return 0;
}
