import { randomBytes } from "node:crypto";
import { describeFailure } from "../../shared/describe-failure.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { JobId } from "../../shared/ids.js";
import type { Logger } from "../../shared/logger.js";
import type { JobDocuments } from "../service/job-documents.js";
import { findJobFiles } from "../service/job-files.js";
import type { JobKeeper } from "../service/job-keeper.js";
import type { JobLife } from "../service/job-life.js";
import type { JobStream } from "../service/job-stream.js";
import type { KeyedTurns } from "../service/keyed-turns.js";
import { PendingWork } from "../service/pending-work.js";
import type { FileStore } from "../store/file-store.js";
import type { JobSummary } from "../store/job-record.js";
import { JOB_PAGE, type JobStore } from "../store/job-store.js";
import { BatchFollower } from "./batch-follower.js";
import type { BatchGround, BatchTiming } from "./batch-ground.js";
import type { BatchReports } from "./batch-reports.js";
import { type BatchSubmission, notNow } from "./batch-scheduler.js";
import { EndingBatchJobs } from "./ending-batch-jobs.js";

export interface BatchKeeperOptions {
  readonly store: JobStore;
  readonly files: FileStore;
  readonly stream: JobStream;
  readonly life: JobLife;
  readonly documents: JobDocuments;
  readonly ground: BatchGround;
  readonly reports: BatchReports;
  /** Whoever changes a job's status does so in its turn. */
  readonly turns: KeyedTurns<JobId>;
  readonly log: Logger;
  readonly now: () => number;
}

const TIMING: BatchTiming = { lookMs: 500, askMs: 3000, laterMs: 15_000 };

/**
 * Jobs as batch jobs: handed over at once when they are queued, since the batch system has a queue of its own; followed by their reports
 * and by what the batch system says of them. All that has to outlive this process is in the store and in the jobs' folders, so batch
 * jobs that go on while no service is there are found again by the next one.
 */
export class BatchKeeper implements JobKeeper {
  readonly setAside = 0;
  readonly #options: BatchKeeperOptions;
  readonly #timing: BatchTiming;
  readonly #follower: BatchFollower;
  readonly #ending: EndingBatchJobs;
  /** Being handed over, or to be tried again later. */
  readonly #starting = new Set<JobId>();
  /** Why jobs have to wait until they can be handed over, as they have been told. */
  readonly #toldWhy = new Map<JobId, string>();
  readonly #pauses = new Set<NodeJS.Timeout>();
  readonly #closing = new AbortController();
  #onEnded: () => void = () => undefined;
  readonly #handingOver = new PendingWork();
  #following: Promise<unknown> = Promise.resolve();

  private constructor(options: BatchKeeperOptions) {
    this.#options = options;
    this.#timing = options.ground.timing ?? TIMING;
    this.#follower = new BatchFollower({ ...options, timing: this.#timing, onOver: () => this.#onEnded() });
    this.#ending = new EndingBatchJobs({ ...options, askMs: this.#timing.askMs });
  }

  /** Finds the batch jobs of the service before, and follows them. @throws RingstrasseError STORE_UNAVAILABLE */
  static async open(options: BatchKeeperOptions): Promise<BatchKeeper> {
    const keeper = new BatchKeeper(options);
    for await (const job of batchJobsIn(options.store)) keeper.#follower.follow(job);
    const { signal } = keeper.#closing;
    keeper.#following = Promise.all([keeper.#follower.lookUntil(signal), keeper.#ending.lookUntil(signal)]);
    return keeper;
  }

  onEnded(listener: () => void): void {
    this.#onEnded = listener;
  }

  has(id: JobId): boolean {
    return this.#follower.has(id) || this.#starting.has(id);
  }

  mustEnd(job: JobSummary): boolean {
    return isLive(job) && job.run.batch !== null;
  }

  start(id: JobId): void {
    this.#starting.add(id);
    const handedOver = this.#options.turns.run(id, () => this.#handOver(id));
    this.#handingOver.add(handedOver.catch((thrown: unknown) => this.#later(id, thrown)));
  }

  /** @throws RingstrasseError BATCH_REFUSED: the batch system does not answer, and the job stays as it is */
  async stop(id: JobId, { failure }: RingstrasseError): Promise<void> {
    const { store, turns, life, ground } = this.#options;
    await turns.run(id, async () => {
      const job = await store.summary(id);
      if (!this.mustEnd(job)) return;
      const batchJob = await this.#batchJobOf(job);
      if (batchJob !== null) {
        await ground.scheduler.cancel(batchJob, this.#closing.signal);
        this.#ending.add(id, batchJob);
      }
      // From here on nobody listens to what it still reports.
      this.#follower.forget(id);
      this.#toldWhy.delete(id);
      await this.#tidy(await life.move(id, "fail", { reason: failure }));
    });
  }

  /** Batch jobs go on: the next service finds them. Waits for a submission that is under way, and for nothing else of the batch system. */
  async stopAll(): Promise<void> {
    this.#closing.abort();
    for (const pause of this.#pauses) clearTimeout(pause);
    await this.#handingOver.ended();
    await this.#following;
  }

  async forgetOutput(id: JobId): Promise<void> {
    const { ground, log } = this.#options;
    await ground
      .forget(id)
      .catch((thrown: unknown) => log.error({ err: thrown, jobId: id }, "batch folder not removed"));
  }

  /** In the job's turn. */
  async #handOver(id: JobId): Promise<void> {
    const { store, life } = this.#options;
    try {
      const job = await store.summary(id);
      if (job.status !== "QUEUED" || this.#follower.has(id)) return this.#letBe(id);
      const submission = await this.#submission(job);
      if (submission.kind === "later") return await this.#putOff(id, submission.problem);
      this.#follower.follow(await store.summary(id));
      this.#starting.delete(id);
      this.#toldWhy.delete(id);
    } catch (thrown) {
      if (!(thrown instanceof RingstrasseError)) throw thrown;
      // A batch job that is there already is found by its name at the next try.
      if (isForLater(thrown)) return await this.#putOff(id, describeFailure(thrown.failure));
      this.#starting.delete(id);
      this.#toldWhy.delete(id);
      if (thrown.failure.code === "NOT_FOUND" && thrown.failure.what === "job") return;
      this.#options.log.warn({ jobId: id, err: thrown }, "job not handed over");
      await this.#tidy(await life.move(id, "fail", { reason: thrown.failure }));
      this.#onEnded();
    }
  }

  /** It was cancelled, say, before its turn came; and it may have been queued again since then, when {@link has} said that it is in hand. */
  #letBe(id: JobId): void {
    this.#starting.delete(id);
    this.#toldWhy.delete(id);
    this.#onEnded();
  }

  /** Of a job that was queued: its next batch job has copies of its own. What can't be removed stays until the job is deleted. */
  async #tidy({ id, run: { batch } }: JobSummary): Promise<void> {
    const { ground, log } = this.#options;
    if (batch === null) return;
    await ground
      .tidy({ id, key: batch.key })
      .catch((thrown: unknown) => log.warn({ err: thrown, jobId: id }, "batch folder not tidied"));
  }

  /** The batch job that the job has already, or else a new one. */
  async #submission(job: JobSummary): Promise<BatchSubmission> {
    let batchJob: string | null;
    try {
      batchJob = await this.#batchJobOf(job);
    } catch (thrown) {
      // Whether there is one nobody knows now: it may run already.
      return notNow(thrown);
    }
    return batchJob === null ? await this.#submit(job) : { kind: "submitted", batchJob };
  }

  async #submit(job: JobSummary): Promise<BatchSubmission> {
    const { store, files, documents, ground } = this.#options;
    const { id } = job;
    const key = job.run.batch?.key ?? randomBytes(6).toString("hex");
    // First the name, then the job of that name: whenever this process ends, the batch job can be found.
    if (job.run.batch === null) await store.recordRun(id, { batch: { key, batchJob: null, reported: null } });
    const read = await documents.trainable(id);
    const found = await findJobFiles(read, files);
    const written = await ground.write({ name: { id, key }, job: read, found, files }, this.#closing.signal);
    if (written.kind === "later") return written;
    const submission = await ground.scheduler.submit(written.script);
    if (submission.kind === "later") return submission;
    await store.recordRun(id, { batch: { key, batchJob: submission.batchJob, reported: null } });
    if (read.remark !== null) await this.#options.stream.add(id, [{ event: "warning", message: read.remark }]);
    if (written.leftBehind !== null) await this.#tellAnew(id, written.leftBehind);
    return submission;
  }

  /** Jobs on workers go on where they were; one that expects that of a batch job would lose what was saved without a word. */
  async #tellAnew(id: JobId, run: string): Promise<void> {
    const message = `It begins anew: a batch job does not go on from states that an earlier one has saved. They are in ${run} until the job is deleted; ringstrasse submit slurm, given the document, the data and --resume, goes on from there`;
    await this.#options.stream.add(id, [{ event: "warning", message }]);
  }

  /** The job is told why, once. */
  async #putOff(id: JobId, problem: string): Promise<void> {
    // What was given up for that is found again by the next service.
    if (this.#closing.signal.aborted) return;
    if (this.#toldWhy.get(id) !== problem) {
      await this.#options.stream.add(id, [{ event: "warning", message: `It will be handed over later: ${problem}` }]);
      this.#toldWhy.set(id, problem);
    }
    this.#tryLater(id);
  }

  /** The batch job that the job has already; where the service ended while it was handed over, it is looked for. */
  async #batchJobOf({ id, run: { batch } }: JobSummary): Promise<string | null> {
    const { store, ground } = this.#options;
    if (batch === null || batch.batchJob !== null) return batch?.batchJob ?? null;
    const name = { id, key: batch.key };
    const { signal } = this.#closing;
    const batchJob = (await ground.scheduler.find(ground.nameOf(name), signal)) ?? (await ground.startedJobOf(name));
    if (batchJob !== null) await store.recordRun(id, { batch: { ...batch, batchJob } });
    return batchJob;
  }

  #later(id: JobId, thrown: unknown): void {
    this.#options.log.error({ err: thrown, jobId: id }, "the job could not be handed over; it is tried again");
    this.#tryLater(id);
  }

  #tryLater(id: JobId): void {
    if (this.#closing.signal.aborted) return;
    const pause = setTimeout(() => {
      this.#pauses.delete(pause);
      this.#starting.delete(id);
      this.#onEnded();
    }, this.#timing.laterMs);
    this.#pauses.add(pause);
  }
}

/** Whether the store, or the file system that the nodes share, is what failed: nothing of it is the job's doing. */
function isForLater({ failure }: RingstrasseError): boolean {
  return failure.code === "STORE_UNAVAILABLE" || failure.code === "OUTPUT_UNWRITABLE";
}

/** Whether the job waits or runs. */
function isLive({ status }: JobSummary): boolean {
  return status === "QUEUED" || status === "INPROGRESS";
}

/** Jobs that wait or run as batch jobs. */
export async function* batchJobsIn(store: JobStore): AsyncGenerator<JobSummary, void, void> {
  for (const status of ["QUEUED", "INPROGRESS"] as const) {
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<JobStore["list"]>> = await store.list({ limit: JOB_PAGE, cursor, status });
      for (const job of page.jobs) if (job.run.batch !== null) yield job;
      cursor = page.next;
    } while (cursor !== null);
  }
}
