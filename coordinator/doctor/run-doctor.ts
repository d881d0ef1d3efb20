import process from "node:process";
import type { OptionValues } from "../../shared/cli/option-table.js";
import type { DOCTOR_COMMAND } from "../cli/commands.js";
import { checkEngine } from "../engines/check-engine.js";
import { enginesCheck } from "./check-engines.js";
import { nodeCheck } from "./check-node.js";
import { type Diagnosis, diagnose } from "./doctor-command.js";
import { machineChecks } from "./machine-checks.js";

export interface DoctorSurroundings {
  readonly environment: NodeJS.ProcessEnv;
  /** The compiled `ringstrasse` command, for checks that need a process of their own. */
  readonly entry: string;
  /** Where engines of the user's own are looked for. */
  readonly projectDirectory: string;
  /** That this process may run on. */
  readonly cores: number;
  readonly signal: AbortSignal;
}

/** `ringstrasse doctor`: looks at all sides of this machine. @throws the signal's reason when aborted */
export async function runDoctor(
  options: OptionValues<typeof DOCTOR_COMMAND.options>,
  { environment, entry, projectDirectory, cores, signal }: DoctorSurroundings,
): Promise<Diagnosis> {
  const { threads = 1, workers = cores, out = "runs", quick = false, json = false } = options;
  const node = nodeCheck(process.versions.node, `${process.platform}-${process.arch}`);
  const machine = machineChecks({ environment, entry, cores, workers, threads, out });
  const engines = enginesCheck({
    environment,
    projectDirectory,
    cores,
    threads,
    quick,
    check: (engine, location, used) =>
      checkEngine(engine, location, { entry, environment, threads: used, seconds: 1, signal }),
  });
  return await diagnose([node, ...machine, engines], json);
}
