import type { InterruptionFailure } from "../../shared/failure-place.js";
import type { JobId } from "../../shared/ids.js";
import type { Logger } from "../../shared/logger.js";
import type { JobSummary } from "../store/job-record.js";
import { type Cursor, JOB_PAGE, type JobPage, type JobStore } from "../store/job-store.js";
import type { JobCheckpoints } from "./job-checkpoints.js";
import type { JobLife } from "./job-life.js";

export interface InterruptedJobsOptions {
  readonly store: JobStore;
  readonly life: JobLife;
  readonly checkpoints: JobCheckpoints;
  readonly log: Logger;
}

/** Jobs whose runs were broken off: they wait again, as long as they get further from one time to the next. */
export class InterruptedJobs {
  readonly #options: InterruptedJobsOptions;

  constructor(options: InterruptedJobsOptions) {
    this.#options = options;
  }

  /** For the start of a server: those that ran here when the last one ended. One that ends in the midst of it leaves the others to the next. */
  async ofLastServer(): Promise<void> {
    const { store, log } = this.#options;
    const reason = { code: "INTERRUPTED", signal: "the end of the server that ran it" } as const;
    const running: JobId[] = [];
    let cursor: Cursor | null = null;
    do {
      const page: JobPage = await store.list({ status: "INPROGRESS", limit: JOB_PAGE, cursor });
      running.push(...page.jobs.filter(({ run }) => run.elsewhere === null).map(({ id }) => id));
      cursor = page.next;
    } while (cursor !== null);
    const jobs = await Promise.all(running.map((id) => this.interrupt(id, reason)));
    const idsIn = (status: string) => jobs.filter((job) => job.status === status).map(({ id }) => id);
    if (jobs.length > 0) log.warn({ queued: idsIn("QUEUED"), failed: idsIn("ERROR") }, "jobs were interrupted");
  }

  /** In the job's turn, or before anybody else can change it. @returns as it is now: QUEUED or, when that was once too often, ERROR */
  async interrupt(id: JobId, reason: InterruptionFailure): Promise<JobSummary> {
    return await this.#options.life.interrupt(id, { reason, savedStep: await this.#savedStep(id) });
  }

  async #savedStep(id: JobId): Promise<number> {
    const { checkpoints, log } = this.#options;
    try {
      return (await checkpoints.newestStep(id)) ?? 0;
    } catch (thrown) {
      log.warn({ jobId: id, err: thrown }, "checkpoints can't be looked at: none counts as progress");
      return 0;
    }
  }
}
