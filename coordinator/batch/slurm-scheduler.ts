import { RingstrasseError, toFailure } from "../../shared/failure.js";
import { isSystemError } from "../../shared/write-failure.js";
import type { SlurmCommands } from "../submit/slurm-commands.js";
import {
  type BatchScheduler,
  type BatchState,
  type BatchSubmission,
  notNow,
  type Unanswered,
} from "./batch-scheduler.js";

/** What `sbatch` says when another time will do. */
const PASSING =
  /unable to contact slurm controller|timed out|temporarily unable|connection refused|connection failure|standby mode|MaxSubmitJob|resource temporarily unavailable|zero bytes were transmitted/i;

/** {@link BatchScheduler} over Slurm's commands. */
export class SlurmScheduler implements BatchScheduler {
  readonly #slurm: SlurmCommands;

  constructor(slurm: SlurmCommands) {
    this.#slurm = slurm;
  }

  async submit(script: string): Promise<BatchSubmission> {
    try {
      return { kind: "submitted", batchJob: await this.#slurm.submit(script) };
    } catch (thrown) {
      if (!isPassing(thrown)) throw thrown;
      return notNow(thrown);
    }
  }

  async states(
    batchJobs: readonly string[],
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, BatchState | Unanswered>> {
    if (batchJobs.length === 0) return new Map();
    const queue = new Map((await this.#slurm.jobs(signal)).map(({ id, state }) => [id, state]));
    const forgotten = batchJobs.filter((id) => !queue.has(id));
    const ends = forgotten.length === 0 ? new Map() : await this.#endsOf(forgotten, signal);
    return new Map(batchJobs.map((id) => [id, queue.get(id) ?? ends.get(id) ?? { kind: "unknown" }]));
  }

  /** Of jobs that the controller has forgotten. */
  async #endsOf(
    batchJobs: readonly string[],
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, BatchState | Unanswered>> {
    try {
      return await this.#slurm.accounted(batchJobs, signal);
    } catch (thrown) {
      if (!(thrown instanceof RingstrasseError) || thrown.failure.code !== "BATCH_REFUSED") throw thrown;
      const unanswered: Unanswered = { kind: "unanswered", refusal: thrown };
      return new Map(batchJobs.map((id) => [id, unanswered]));
    }
  }

  async find(name: string, signal?: AbortSignal): Promise<string | null> {
    return (await this.#slurm.jobs(signal)).findLast((job) => job.name === name)?.id ?? null;
  }

  cancel(batchJob: string, signal?: AbortSignal): Promise<void> {
    return this.#slurm.cancel(batchJob, signal);
  }
}

/** Whether it says nothing of the script: the command could not be run, has not ended in time, or has not reached the controller. */
function isPassing(thrown: unknown): boolean {
  const failure = toFailure(thrown);
  if (failure.code !== "BATCH_REFUSED") return false;
  const cause = thrown instanceof Error ? thrown.cause : null;
  const hasNotAnswered = isSystemError(cause) || (cause instanceof Error && cause.name === "AbortError");
  return hasNotAnswered || PASSING.test(failure.problem);
}
