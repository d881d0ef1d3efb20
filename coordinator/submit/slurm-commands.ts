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
/** Longer than they wait for a controller that is busy (`MessageTimeout`, 10 s unless configured). */
const PATIENCE_MS = 60_000;

/**
 * Slurm, by its commands. One that does not end in time is killed, and counts as one that does not answer; whoever gives a `signal` can
 * give it up before.
 */
export class SlurmCommands {
  readonly #environment: NodeJS.ProcessEnv;
  readonly #through: readonly string[];
  readonly #patienceMs: number;

  /** @param through what the commands are run by, to have them run elsewhere @param patienceMs how long each may take */
  constructor(environment: NodeJS.ProcessEnv, through: readonly string[] = [], patienceMs = PATIENCE_MS) {
    this.#environment = environment;
    this.#through = through;
    this.#patienceMs = patienceMs;
  }

  /** All nodes of all partitions. @throws RingstrasseError BATCH_REFUSED when Slurm isn't there or doesn't answer */
  async nodes(signal?: AbortSignal): Promise<SlurmNode[]> {
    const output = await this.#run("sinfo", SINFO_ARGUMENTS, signal);
    const nodes = parseNodes(output);
    if (nodes !== null) return nodes;
    const problem = `sinfo says what this version doesn't understand: ${output.slice(0, 200)}`;
    throw refused(problem, "Submit by hand: sbatch slurm/train.sbatch DEF.xml");
  }

  /** @returns the job's number. @throws RingstrasseError BATCH_REFUSED with Slurm's words; it may have been taken when there was no answer */
  async submit(script: string): Promise<string> {
    // `NUMBER` or `NUMBER;CLUSTER`
    const output = await this.#run("sbatch", ["--parsable", script]);
    const [jobId = ""] = output.trim().split(";");
    if (/^\d+$/.test(jobId)) return jobId;
    throw refused(`sbatch says no job number: ${output.slice(0, 200)}`, "See squeue whether the job is there");
  }

  /** The user's jobs that Slurm has not forgotten, oldest first; it forgets those that have ended after some minutes (`MinJobAge`). */
  async jobs(signal?: AbortSignal): Promise<SlurmJob[]> {
    const output = await this.#run("squeue", SQUEUE_ARGUMENTS, signal);
    const jobs = parseJobs(output);
    if (jobs !== null) return jobs.sort((one, other) => Number(one.id) - Number(other.id));
    throw refused(`squeue says what this version doesn't understand: ${output.slice(0, 200)}`, "Look at squeue --me");
  }

  /** How jobs have ended, as the cluster's accounting has them; empty where it keeps none, or can't be asked since there is no `sacct`. @throws RingstrasseError BATCH_REFUSED */
  async accounted(ids: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, BatchState>> {
    try {
      return parseAccounted(await this.#run("sacct", [...SACCT_ARGUMENTS, `--jobs=${ids.join(",")}`], signal));
    } catch (thrown) {
      if (/accounting storage is disabled/i.test(describeFailure(toFailure(thrown))) || isMissing(thrown))
        return new Map();
      throw thrown;
    }
  }

  /** Resolves when Slurm has taken it on; a job that has ended already will do. @throws RingstrasseError BATCH_REFUSED */
  async cancel(id: string, signal?: AbortSignal): Promise<void> {
    try {
      await this.#run("scancel", [id], signal);
    } catch (thrown) {
      if (!/invalid job id|already (completing|completed)/i.test(describeFailure(toFailure(thrown)))) throw thrown;
    }
  }

  async #run(command: string, args: readonly string[], signal?: AbortSignal): Promise<string> {
    const end = new AbortController();
    const giveUp = () => end.abort();
    const timer = setTimeout(giveUp, this.#patienceMs);
    signal?.addEventListener("abort", giveUp);
    if (signal?.aborted === true) giveUp();
    try {
      const [file = command, ...rest] = [...this.#through, command, ...args];
      // Aborted, it rejects at once, even if the kernel lets the process hang in a file system that is away.
      const surroundings = { env: this.#environment, signal: end.signal, killSignal: "SIGKILL" } as const;
      const { stdout } = await run(file, rest, { ...surroundings, maxBuffer: MOST_OUTPUT_BYTES });
      return stdout;
    } catch (cause) {
      if (end.signal.aborted) {
        const how = signal?.aborted === true ? "was given up" : `did not answer within ${this.#patienceMs / 1000} s`;
        throw refused(`${command} ${how}`, "Look at scontrol ping and squeue --me, and try again", cause);
      }
      if (isSystemError(cause) && cause.code === "ENOENT") {
        throw refused(`there is no command ${command} here`, "Submit on a login node of a cluster with Slurm", cause);
      }
      throw refused(
        `${command} failed: ${wordsOf(cause)}`,
        `See ${command} --help, or ask who runs the cluster`,
        cause,
      );
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", giveUp);
    }
  }
}

/** Whether there is no such command. */
function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && isSystemError(thrown.cause) && thrown.cause.code === "ENOENT";
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
