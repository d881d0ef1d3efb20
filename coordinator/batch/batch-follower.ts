import { setTimeout as wait } from "node:timers/promises";
import { describeFailure } from "../../shared/describe-failure.js";
import { toFailure } from "../../shared/failure.js";
import type { JobId } from "../../shared/ids.js";
import type { JobSummary } from "../store/job-record.js";
import type { BatchTiming } from "./batch-ground.js";
import { BatchRun, type BatchRunOptions } from "./batch-run.js";

export interface BatchFollowerOptions extends Omit<BatchRunOptions, "name" | "batchJob"> {
  readonly timing: Omit<BatchTiming, "laterMs">;
  /** A batch job has to be followed no further. */
  readonly onOver: () => void;
}

/** What a trouble is with. */
type Troubled = `${"reports" | "end"} of ${JobId}` | "the batch system";

/**
 * Follows batch jobs: takes in what they report, and asks the batch system about all of them at once. What goes wrong with one of them
 * (its folder can't be read, say) holds none of the others up.
 */
export class BatchFollower {
  readonly #options: BatchFollowerOptions;
  readonly #runs = new Map<JobId, BatchRun>();
  /** What has been said, and holds still. */
  readonly #troubles = new Map<Troubled, string>();
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(options: BatchFollowerOptions) {
    this.#options = options;
  }

  has(id: JobId): boolean {
    return this.#runs.has(id);
  }

  /** From the next look on; a job that has no batch job is let be. */
  follow({ id, run: { batch } }: JobSummary): void {
    if (batch === null || batch.batchJob === null) return;
    const name = { id, key: batch.key };
    this.#runs.set(id, new BatchRun({ ...this.#options, name, batchJob: batch.batchJob }));
  }

  /** Nobody listens any more to what it still reports. */
  forget(id: JobId): void {
    this.#runs.delete(id);
    this.#troubles.delete(`reports of ${id}`);
    this.#troubles.delete(`end of ${id}`);
  }

  /** Looks again and again; resolves when `signal` has aborted and the look under way is over. */
  async lookUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#look(signal);
      await wait(this.#options.timing.lookMs, undefined, { signal }).catch((thrown: unknown) => {
        if (!signal.aborted) throw thrown;
      });
    }
  }

  /** First the reports, then the batch system: what it says of a job is then never older than what the job has said. */
  async #look(signal: AbortSignal): Promise<void> {
    const { ground, now, timing } = this.#options;
    const heard: [JobId, BatchRun][] = [];
    for (const [id, run] of [...this.#runs]) {
      const took = await this.#try(`reports of ${id}`, signal, async () => {
        await run.takeIn(signal);
        return true;
      });
      if (took === true) heard.push([id, run]);
    }
    if (now() - this.#askedAt < timing.askMs || heard.length === 0) return;
    this.#askedAt = now();
    const batchJobs = heard.map(([, { batchJob }]) => batchJob);
    const states = await this.#try("the batch system", signal, () => ground.scheduler.states(batchJobs, signal));
    if (states === null) return;
    for (const [id, run] of heard) {
      if (signal.aborted) return;
      const state = states.get(run.batchJob) ?? { kind: "unknown" };
      const outlook = await this.#try(`end of ${id}`, signal, () => {
        if (state.kind === "unanswered") return Promise.reject(state.refusal);
        return run.settle(state, signal);
      });
      if (outlook === "goesOnLookSoon") this.#askedAt = Number.NEGATIVE_INFINITY;
      if (outlook !== "over" || this.#runs.get(id) !== run) continue;
      this.forget(id);
      this.#options.onOver();
    }
  }

  /** Null: it went wrong, which is told once, and is tried again at the next look. */
  async #try<T>(what: Troubled, signal: AbortSignal, work: () => Promise<T>): Promise<T | null> {
    try {
      const result = await work();
      if (this.#troubles.delete(what)) this.#options.log.info({ what }, "batch jobs can be looked at again");
      return result;
    } catch (thrown) {
      if (signal.aborted) return null;
      const failure = toFailure(thrown);
      const words = describeFailure(failure);
      if (this.#troubles.get(what) !== words)
        this.#options.log.warn({ what, failure, err: thrown }, "batch jobs can't be looked at now; trying again");
      this.#troubles.set(what, words);
      return null;
    }
  }
}
