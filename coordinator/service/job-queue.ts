import { toFailure } from "../../shared/failure.js";
import type { JobId } from "../../shared/ids.js";
import type { Logger } from "../../shared/logger.js";
import type { JobSummary, WorkersWanted } from "../store/job-record.js";
import type { JobStore, QueuePosition } from "../store/job-store.js";
import { decideStarts, type WaitingJob } from "./decide-starts.js";
import type { JobKeeper } from "./job-keeper.js";
import type { JobStream } from "./job-stream.js";
import { PendingWork } from "./pending-work.js";
import type { Workforce } from "./training-ground.js";

export interface JobQueueOptions {
  readonly store: JobStore;
  readonly stream: JobStream;
  readonly keeper: JobKeeper;
  readonly ground: Pick<Workforce, "capacity">;
  readonly log: Logger;
}

/** Waiting jobs that are looked at together: one look is enough as long as workers are the scarce thing. */
const LOOKED_AT = 32;
const ONE_WORKER: WorkersWanted = { min: 1, max: 1, engine: "auto", threads: 1, precision: "float32" };

/** Starts waiting jobs as workers allow. A turn costs one look at the head of the queue, however long that is. */
export class JobQueue {
  readonly #options: JobQueueOptions;
  /** Waiting jobs that were told that there are too few workers for them. */
  readonly #told = new Set<JobId>();
  #turn: Promise<void> | null = null;
  readonly #telling = new PendingWork();
  #isAskedAgain = false;
  #holds = 0;

  constructor(options: JobQueueOptions) {
    this.#options = options;
  }

  /** To be called whenever jobs or workers have changed: a turn follows, one for all calls that come before it. */
  schedule(): void {
    this.#isAskedAgain = true;
    if (this.#turn !== null || this.#holds > 0) return;
    this.#turn = this.#takeTurns().finally(() => {
      this.#turn = null;
      if (this.#isAskedAgain) this.schedule();
    });
  }

  /** Starts nothing until the returned function is called, once; what is about to start has started, and been told, when it resolves. */
  async hold(): Promise<() => void> {
    this.#holds++;
    await this.#turn;
    await this.#telling.ended();
    return () => {
      this.#holds--;
      this.schedule();
    };
  }

  /** The ids of all waiting jobs, in the order in which they will start. */
  async ids(): Promise<JobId[]> {
    const ids: JobId[] = [];
    for await (const page of this.#pages(1000)) ids.push(...page.map(({ id }) => id));
    return ids;
  }

  async #takeTurns(): Promise<void> {
    while (this.#isAskedAgain && this.#holds === 0) {
      this.#isAskedAgain = false;
      try {
        await this.#startWaiting();
      } catch (thrown) {
        this.#options.log.error({ err: thrown }, "waiting jobs could not be looked at; the next change tries again");
      }
    }
  }

  async #startWaiting(): Promise<void> {
    const { keeper } = this.#options;
    for await (const page of this.#pages(LOOKED_AT)) {
      const waiting = page.filter(({ id }) => !keeper.has(id)).map((job) => this.#waitingJob(job));
      const decisions = decideStarts(waiting);
      for (const { id, workers } of decisions.starts) {
        this.#told.delete(id);
        keeper.start(id, workers);
      }
      this.#tellPassedOver(waiting.filter(({ id }) => decisions.passedOver.includes(id)));
      if (decisions.isHeld || this.#holds > 0) return;
    }
  }

  /** Once, so that nobody wonders why later jobs run first. Those that do are not kept waiting for it. */
  #tellPassedOver(jobs: readonly WaitingJob<JobId>[]): void {
    const untold = jobs.filter(({ id }) => !this.#told.has(id));
    for (const job of untold) {
      this.#told.add(job.id);
      this.#telling.add(this.#tell(job));
    }
  }

  async #tell({ id, wanted: { min: needed }, capacity: { present } }: WaitingJob<JobId>): Promise<void> {
    const { log, stream } = this.#options;
    const message = `The job needs ${needed} workers and ${present} are here: it waits until more have joined, and others may start before it`;
    log.info({ jobId: id, needed, present }, "job needs more workers than there are");
    try {
      await stream.add(id, [{ event: "warning", message }]);
    } catch (thrown) {
      this.#told.delete(id);
      if (toFailure(thrown).code !== "NOT_FOUND") log.error({ err: thrown, jobId: id }, "job not told why it waits");
    }
  }

  /** Forgets what the job was told, once it waits no more. */
  forget(id: JobId): void {
    this.#told.delete(id);
  }

  #waitingJob({ id, run }: JobSummary): WaitingJob<JobId> {
    const { ground, keeper } = this.#options;
    const wanted = run.workersWanted ?? ONE_WORKER;
    const { present, idle } = ground.capacity(wanted);
    return { id, wanted, capacity: { present, idle: Math.max(0, idle - keeper.setAside) } };
  }

  async *#pages(limit: number): AsyncGenerator<readonly JobSummary[], void, void> {
    let after: QueuePosition | undefined;
    while (true) {
      const page = await this.#options.store.queued(limit, after);
      if (page.length > 0) yield page;
      if (page.length < limit) return;
      after = page.at(-1);
    }
  }
}
