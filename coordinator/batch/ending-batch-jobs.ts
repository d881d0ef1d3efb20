import { setTimeout as wait } from "node:timers/promises";
import { RingstrasseError } from "../../shared/failure.js";
import type { JobId } from "../../shared/ids.js";
import type { Logger } from "../../shared/logger.js";
import type { JobStore } from "../store/job-store.js";
import type { BatchGround } from "./batch-ground.js";

export interface EndingBatchJobsOptions {
  readonly ground: Pick<BatchGround, "scheduler" | "forget">;
  readonly store: Pick<JobStore, "summary">;
  readonly log: Logger;
  /** Between questions to the batch system, which is asked only while there are such batch jobs. */
  readonly askMs: number;
}

/**
 * Batch jobs that were told to end, and have not ended yet: a run that is told so still saves its state and reports, which makes its folder
 * anew when that has been removed with the job. So it is removed once more when the batch job is over. Known to this process alone: what
 * ends after the service stays.
 */
export class EndingBatchJobs {
  readonly #options: EndingBatchJobsOptions;
  /** By the batch job's number. */
  readonly #ending = new Map<string, JobId>();

  constructor(options: EndingBatchJobsOptions) {
    this.#options = options;
  }

  add(id: JobId, batchJob: string): void {
    this.#ending.set(batchJob, id);
  }

  /** Looks again and again; resolves when `signal` has aborted and the look under way is over. Never rejects for what a look meets. */
  async lookUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#look(signal).catch((thrown: unknown) => this.#later(thrown, signal));
      await wait(this.#options.askMs, undefined, { signal }).catch((thrown: unknown) => {
        if (!signal.aborted) throw thrown;
      });
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    if (this.#ending.size === 0) return;
    const states = await this.#options.ground.scheduler.states([...this.#ending.keys()], signal);
    for (const [batchJob, id] of [...this.#ending]) {
      const kind = states.get(batchJob)?.kind ?? "unknown";
      if (kind !== "ended" && kind !== "unknown") continue;
      await this.#finish(batchJob, id).catch((thrown: unknown) => this.#later(thrown, signal));
    }
  }

  /** Nothing writes into its folder any more. */
  async #finish(batchJob: string, id: JobId): Promise<void> {
    if (await this.#isRemoved(id)) await this.#options.ground.forget(id);
    this.#ending.delete(batchJob);
  }

  async #isRemoved(id: JobId): Promise<boolean> {
    try {
      await this.#options.store.summary(id);
      return false;
    } catch (thrown) {
      if (thrown instanceof RingstrasseError && thrown.failure.code === "NOT_FOUND") return true;
      throw thrown;
    }
  }

  /** The follower of batch jobs tells of a batch system that is away. */
  #later(thrown: unknown, signal: AbortSignal): void {
    if (!signal.aborted)
      this.#options.log.debug({ err: thrown }, "ending batch jobs can't be looked at now; trying again");
  }
}
