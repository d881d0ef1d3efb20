import { RingstrasseError } from "../../shared/failure.js";
import type { JobId } from "../../shared/ids.js";
import type { JobStore } from "../store/job-store.js";
import type { JobKeeper } from "./job-keeper.js";
import type { JobQueue } from "./job-queue.js";
import type { JobStream } from "./job-stream.js";
import type { KeyedTurns } from "./keyed-turns.js";
import type { RunResults } from "./run-results.js";

export interface JobRemovalOptions {
  readonly store: JobStore;
  readonly stream: JobStream;
  readonly results: RunResults;
  readonly keeper: JobKeeper;
  readonly queue: JobQueue;
  readonly turns: KeyedTurns<JobId>;
}

/** Jobs that are removed together. */
const REMOVED_AT_ONCE = 100;

/** Removes jobs with all that they have left. */
export class JobRemoval {
  readonly #options: JobRemovalOptions;

  constructor(options: JobRemovalOptions) {
    this.#options = options;
  }

  /** As `JobService.remove`. */
  async remove(id: JobId): Promise<void> {
    const { keeper, queue, turns } = this.#options;
    do {
      await keeper.stop(id, new RingstrasseError({ code: "CANCELLED", what: "job", id }));
    } while (!(await turns.run(id, () => this.#removeIdle(id))));
    queue.schedule();
  }

  /** As `JobService.removeAll`; jobs that are submitted meanwhile stay. */
  async removeAll(): Promise<number> {
    const { store, queue } = this.#options;
    const [newest] = (await store.list({ limit: 1, order: "newest" })).jobs;
    if (newest === undefined) return 0;
    const release = await queue.hold();
    let count = 0;
    try {
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<JobStore["list"]>> = await store.list({ limit: REMOVED_AT_ONCE, cursor });
        const own = page.jobs.filter(({ number }) => number <= newest.number);
        const removed = await Promise.all(own.map(({ id }) => this.#removeUnlessGone(id)));
        count += removed.filter(Boolean).length;
        cursor = own.length < page.jobs.length ? null : page.next;
      } while (cursor !== null);
    } finally {
      release();
    }
    return count;
  }

  /** False: it has started again in the meantime. */
  async #removeIdle(id: JobId): Promise<boolean> {
    const { store, stream, results, keeper, queue } = this.#options;
    const job = await store.summary(id);
    if (keeper.mustEnd(job)) return false;
    await store.delete(id);
    stream.ring(id);
    queue.forget(id);
    await results.forget(job.run.modelFileIds);
    await keeper.forgetOutput(id);
    return true;
  }

  async #removeUnlessGone(id: JobId): Promise<boolean> {
    try {
      await this.remove(id);
      return true;
    } catch (thrown) {
      if (thrown instanceof RingstrasseError && thrown.failure.code === "NOT_FOUND") return false;
      throw thrown;
    }
  }
}
