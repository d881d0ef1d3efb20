import { chmod } from "node:fs/promises";
import { join, resolve } from "node:path";
import { withoutOptions } from "../../shared/cli/without-options.js";
import { createDirectory } from "../../shared/create-directory.js";
import { RingstrasseError } from "../../shared/failure.js";
import { writeFailure } from "../../shared/write-failure.js";
import { SlurmGround } from "../batch/slurm-ground.js";
import { BATCH_OPTIONS, type BatchOptionName } from "../cli/batch-options.js";
import type { ServeOptions } from "../cli/serve-options.js";
import type { SubmitOptions } from "../cli/submit-options.js";
import { batchRequest } from "../submit/batch-request.js";
import { checkRequest } from "../submit/check-request.js";
import { checkpointsOf } from "../submit/checkpoints-of.js";
import { refuseUnfitPath, unsharedPlaces } from "../submit/shared-path.js";
import { SlurmCommands } from "../submit/slurm-commands.js";

export interface SlurmSurroundings {
  /** The compiled `ringstrasse` command, and the Node.js that runs it: the nodes use the same. */
  readonly entry: string;
  readonly execPath: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Where jobs have their folders unless `--shared-dir` says otherwise. */
  readonly sharedDirectory: string;
  /** For what a person has to know. */
  readonly note: (text: string) => void;
}

/** What jobs report is believed, so nobody else may write it; nor read data and models. @throws RingstrasseError OUTPUT_UNWRITABLE */
async function ownFolder(path: string): Promise<void> {
  try {
    await createDirectory(path);
    await chmod(path, 0o700);
  } catch (cause) {
    throw writeFailure(path, cause);
  }
}

/** Passed on to the job's own command; the others are the server's. */
const PASSED = [
  "engine",
  "threads",
  "encrypt",
  "silence-timeout",
  "stall-timeout",
  "log-level",
  "checkpoint-steps",
  "checkpoint-epochs",
  "checkpoint-minutes",
  "keep-checkpoints",
] as const;

/**
 * Where the jobs of `serve --launcher slurm` run. Asks the cluster whether it can ever give what each job will ask for.
 * @throws RingstrasseError USAGE; BATCH_REFUSED naming the option; OUTPUT_UNWRITABLE
 */
export async function openSlurmGround(options: ServeOptions, around: SlurmSurroundings): Promise<SlurmGround> {
  refuseOwnWorkers(options);
  const folder = resolve(options["shared-dir"] ?? around.sharedDirectory);
  refuseUnfitPath("--shared-dir", folder);
  const request = { ...batchRequest(options, "ringstrasse"), cpusPerTask: options["cpus-per-task"] ?? null };
  // Its jobs inherit the environment of `sbatch`.
  const slurm = new SlurmCommands(withoutOptions(around.environment));
  const nodes = await slurm.nodes();
  const remarks = checkRequest({ ...request, cpusPerTask: request.cpusPerTask ?? options.threads ?? 1 }, nodes);
  await ownFolder(join(folder, "jobs"));
  const unshared = request.nodes === 1 ? [] : await unsharedPlaces([around.entry, folder]);
  for (const remark of [...remarks, ...unshared]) around.note(`note: ${remark}`);
  const { entry, execPath } = around;
  return new SlurmGround({ slurm, nodes, folder, request, options: passedOptions(options), entry, execPath });
}

/** @throws RingstrasseError USAGE for options of batch jobs where there are none */
export function refuseBatchOptions(options: ServeOptions): void {
  const names = [...(Object.keys(BATCH_OPTIONS) as BatchOptionName[]), "shared-dir"] as const;
  const given = names.find((name) => options[name] !== undefined);
  if (given === undefined) return;
  throw usage(
    `--${given}`,
    "it is for batch jobs, and jobs train on workers here",
    "Give --launcher slurm too, or leave it out",
  );
}

/** @throws RingstrasseError USAGE for options of workers that a batch system's jobs don't have */
function refuseOwnWorkers(options: ServeOptions): void {
  if ((options.workers ?? 0) > 0)
    throw usage("--workers", "jobs run as batch jobs of Slurm, on its nodes", "Leave it out");
  if (options["after-worker-loss"] !== undefined)
    throw usage(
      "--after-worker-loss",
      "jobs run as batch jobs of Slurm, which starts them again itself",
      "Leave it out",
    );
  if (options["control-port"] === undefined) return;
  throw usage("--control-port", "no workers join: jobs run as batch jobs of Slurm", "Leave it out");
}

/** To a server 0 minutes mean "not by time", which `train` says by leaving them out. */
function passedOptions(options: ServeOptions): SubmitOptions {
  const isPassed = (name: (typeof PASSED)[number]) =>
    options[name] !== undefined && !(name === "checkpoint-minutes" && options[name] === 0);
  const given = PASSED.filter(isPassed).map((name) => [name, options[name]] as const);
  return { ...Object.fromEntries(given), ...checkpointsOf(options) };
}

function usage(option: string, problem: string, remedy: string): RingstrasseError {
  return new RingstrasseError({ code: "USAGE", option, problem, remedy });
}
