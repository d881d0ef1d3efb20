import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describeFailure } from "../../shared/describe-failure.js";
import { RingstrasseError, toFailure } from "../../shared/failure.js";
import { isSystemError } from "../../shared/write-failure.js";
import type { BatchState } from "../batch/batch-scheduler.js";
import { parseAccounted, parseJobs, SACCT_ARGUMENTS, type SlurmJob, SQUEUE_ARGUMENTS } from "../batch/slurm-jobs.js";
import { parseNodes, SINFO_ARGUMENTS, type SlurmNode } from "./slurm-nodes.js";

const run = promisify(execFile);

/** Large clusters have tens of thousands of nodes. */
const MOST_OUTPUT_BYTES = 64 * 2 ** 20;

/** Slurm, by its commands. */
export class SlurmCommands {
  readonly #environment: NodeJS.ProcessEnv;
  readonly #through: readonly string[];

  /** @param through what the commands are run by, to have them run elsewhere */
  constructor(environment: NodeJS.ProcessEnv, through: readonly string[] = []) {
    this.#environment = environment;
    this.#through = through;
  }

  /** All nodes of all partitions. @throws RingstrasseError BATCH_REFUSED when Slurm isn't there or doesn't answer */
  async nodes(): Promise<SlurmNode[]> {
    const output = await this.#run("sinfo", SINFO_ARGUMENTS);
    const nodes = parseNodes(output);
    if (nodes !== null) return nodes;
    const problem = `sinfo says what this version doesn't understand: ${output.slice(0, 200)}`;
    throw refused(problem, "Submit by hand: sbatch slurm/train.sbatch DEF.xml");
  }

  /** @returns the job's number. @throws RingstrasseError BATCH_REFUSED with Slurm's words */
  async submit(script: string): Promise<string> {
    // `NUMBER` or `NUMBER;CLUSTER`
    const output = await this.#run("sbatch", ["--parsable", script]);
    const [jobId = ""] = output.trim().split(";");
    if (/^\d+$/.test(jobId)) return jobId;
    throw refused(`sbatch says no job number: ${output.slice(0, 200)}`, "See squeue whether the job is there");
  }

  /** The user's jobs that Slurm has not forgotten, oldest first; it forgets those that have ended after some minutes (`MinJobAge`). */
  async jobs(): Promise<SlurmJob[]> {
    const output = await this.#run("squeue", SQUEUE_ARGUMENTS);
    const jobs = parseJobs(output);
    if (jobs !== null) return jobs.sort((one, other) => Number(one.id) - Number(other.id));
    throw refused(`squeue says what this version doesn't understand: ${output.slice(0, 200)}`, "Look at squeue --me");
  }

  /** How jobs have ended, as the cluster's accounting has them; empty where it keeps none. @throws RingstrasseError BATCH_REFUSED */
  async accounted(ids: readonly string[]): Promise<ReadonlyMap<string, BatchState>> {
    try {
      return parseAccounted(await this.#run("sacct", [...SACCT_ARGUMENTS, `--jobs=${ids.join(",")}`]));
    } catch (thrown) {
      if (/accounting storage is disabled/i.test(describeFailure(toFailure(thrown)))) return new Map();
      throw thrown;
    }
  }

  /** Resolves when Slurm has taken it on; a job that has ended already will do. @throws RingstrasseError BATCH_REFUSED */
  async cancel(id: string): Promise<void> {
    try {
      await this.#run("scancel", [id]);
    } catch (thrown) {
      if (!/invalid job id|already (completing|completed)/i.test(describeFailure(toFailure(thrown)))) throw thrown;
    }
  }

  async #run(command: string, args: readonly string[]): Promise<string> {
    try {
      const [file = command, ...rest] = [...this.#through, command, ...args];
      const { stdout } = await run(file, rest, { env: this.#environment, maxBuffer: MOST_OUTPUT_BYTES });
      return stdout;
    } catch (cause) {
      if (isSystemError(cause) && cause.code === "ENOENT") {
        throw refused(`there is no command ${command} here`, "Submit on a login node of a cluster with Slurm", cause);
      }
      throw refused(
        `${command} failed: ${wordsOf(cause)}`,
        `See ${command} --help, or ask who runs the cluster`,
        cause,
      );
    }
  }
}

/** What the command said about it, on one line. */
function wordsOf(cause: unknown): string {
  const said = cause instanceof Error && "stderr" in cause ? String(cause.stderr).trim() : "";
  const words = said === "" ? String(cause instanceof Error ? cause.message : cause) : said;
  return words.replaceAll(/\s*\n\s*/g, "; ").replace(/\.$/, "");
}

function refused(problem: string, remedy: string, cause?: unknown): RingstrasseError {
  return new RingstrasseError({ code: "BATCH_REFUSED", option: null, problem, remedy }, { cause });
}
