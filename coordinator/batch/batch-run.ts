import { RingstrasseError } from "../../shared/failure.js";
import type { JobId } from "../../shared/ids.js";
import type { Logger } from "../../shared/logger.js";
import { ReportIntake } from "../report/report-intake.js";
import { SpoolDirectory } from "../report/spool-directory.js";
import type { JobLife } from "../service/job-life.js";
import type { StatusChange } from "../service/job-service.js";
import type { JobStream } from "../service/job-stream.js";
import type { KeyedTurns } from "../service/keyed-turns.js";
import type { BatchFacts, JobSummary } from "../store/job-record.js";
import type { JobStore } from "../store/job-store.js";
import type { BatchGround, BatchJobName } from "./batch-ground.js";
import type { BatchReports } from "./batch-reports.js";
import type { BatchState } from "./batch-scheduler.js";
import { batchFailure, decideBatch, isWorthTelling, lastWordsOf } from "./decide-batch.js";

export interface BatchRunOptions {
  readonly name: BatchJobName;
  readonly batchJob: string;
  readonly store: JobStore;
  readonly stream: JobStream;
  readonly life: JobLife;
  readonly ground: BatchGround;
  readonly reports: BatchReports;
  readonly turns: KeyedTurns<JobId>;
  readonly log: Logger;
  readonly now: () => number;
}

/** Whether a batch job has to be followed further. */
export type BatchOutlook = "goesOn" | "goesOnLookSoon" | "over";

/** One job in the hands of a batch system: its reports, and what the batch system says of it. One call at a time. */
export class BatchRun {
  readonly batchJob: string;
  readonly #options: BatchRunOptions;
  readonly #spool: SpoolDirectory;
  /** What has been said of reports that stay, by path. */
  readonly #said = new Map<string, string>();
  /** Why the server can't take in what is reported; null: it can. */
  #heldUpBy: string | null = null;
  /** Since when it is over, and all that is there of its reports has been taken in. */
  #overSince: number | null = null;
  #hasWaited = false;
  #told = "";

  constructor(options: BatchRunOptions) {
    const { name, ground, reports, batchJob } = options;
    this.batchJob = batchJob;
    this.#options = options;
    const intake = new ReportIntake({
      report: (id, report) => reports.report(id, report),
      reportingRun: (id) => reports.reportingRun(id),
      replacePart: (id, part, body) => reports.replacePart(id, part, body),
      detail: (id) => reports.detail(id),
      setStatus: (_, change) => this.#hear(change),
    });
    this.#spool = new SpoolDirectory({ path: ground.reportsOf(name), id: name.id, intake });
  }

  /** Takes in the reports that are there. @throws RingstrasseError; system errors, when the shared file system is away */
  async takeIn(signal: AbortSignal): Promise<void> {
    const notes = await this.#spool.takeIn(signal);
    this.#heldUpBy = notes.find(({ fault }) => fault === "server")?.problem ?? null;
    for (const { path, problem } of notes) {
      if (this.#said.get(path) === problem) continue;
      this.#said.set(path, problem);
      this.#options.log.warn({ path, problem }, "a report of a batch job is not taken in");
    }
  }

  /** Does what follows from the batch system's word. */
  async settle(state: BatchState, signal: AbortSignal): Promise<BatchOutlook> {
    const isOver = state.kind === "ended" || state.kind === "unknown";
    // What it has said before it ended may have come only now.
    if (isOver) await this.takeIn(signal);
    if (signal.aborted) return "goesOn";
    const { turns, name } = this.#options;
    this.#overSince = isOver && this.#heldUpBy === null ? (this.#overSince ?? this.#options.now()) : null;
    const outlook = await turns.run(name.id, () => this.#decide(state));
    this.#hasWaited = state.kind === "waiting";
    if (outlook === "over") await this.#tidy();
    return outlook;
  }

  /** What can't be removed stays until the job is deleted: the job itself is over. */
  async #tidy(): Promise<void> {
    const { ground, name, log } = this.#options;
    await ground
      .tidy(name)
      .catch((thrown: unknown) => log.warn({ err: thrown, jobId: name.id }, "batch folder not tidied"));
  }

  /** In the job's turn. */
  async #decide(state: BatchState): Promise<BatchOutlook> {
    const { life, now, name } = this.#options;
    const job = await this.#job();
    if (job === null) return "over";
    const { status, batch } = job;
    const overForMs = this.#overSince === null ? 0 : now() - this.#overSince;
    const hasReported = batch.reported !== null;
    const isHeldUp = this.#heldUpBy !== null;
    const decision = decideBatch({ status, state, hasReported, overForMs, isHeldUp, hasWaited: this.#hasWaited });
    switch (decision) {
      case "wait":
        await this.#tellWhy(state);
        return "goesOn";
      case "lookSoon":
        return "goesOnLookSoon";
      case "waitsAgain": {
        const problem = `the batch system has queued batch job ${this.batchJob} again${batch.reported === null ? "" : ` (${batch.reported})`}`;
        await life.sendBack(name.id, { code: "REPORTED", problem });
        return "goesOn";
      }
      case "failed": {
        const reason = await this.#failure(state, batch);
        await life.move(name.id, "fail", { reason });
        return "over";
      }
    }
  }

  async #failure(state: BatchState, { reported }: BatchFacts) {
    const { ground, name } = this.#options;
    const log = await ground.logOf(name, this.batchJob);
    const lastWords = log === null ? null : lastWordsOf(log.text);
    const where = log === null ? "squeue and the cluster's logs: the job has said nothing" : log.path;
    return batchFailure(this.batchJob, state, { reported, lastWords, log: where });
  }

  /** Null: it has ended, is another batch job by now, or is gone. */
  async #job(): Promise<{ readonly status: "QUEUED" | "INPROGRESS"; readonly batch: BatchFacts } | null> {
    const { store, name } = this.#options;
    try {
      const { status, run } = await store.summary(name.id);
      if (run.batch?.key !== name.key || (status !== "QUEUED" && status !== "INPROGRESS")) return null;
      return { status, batch: run.batch };
    } catch (thrown) {
      if (thrown instanceof RingstrasseError && thrown.failure.code === "NOT_FOUND") return null;
      throw thrown;
    }
  }

  /** Once for each reason that does not pass by itself. */
  async #tellWhy(state: BatchState): Promise<void> {
    const message = this.#whyItWaits(state);
    if (message === this.#told) return;
    const { stream, name } = this.#options;
    if (message !== "") await stream.add(name.id, [{ event: "warning", message }]);
    this.#told = message;
  }

  /** Empty: for nothing that a person should be told. */
  #whyItWaits(state: BatchState): string {
    const { batchJob } = this;
    if (state.kind === "running") return "";
    if (state.kind === "waiting")
      return isWorthTelling(state.reason) ? `Batch job ${batchJob} waits: ${state.reason}` : "";
    if (this.#heldUpBy === null) return "";
    return `Batch job ${batchJob} is over, and what it has reported waits for this server, which can't take it in: ${this.#heldUpBy}`;
  }

  /** What the run says of itself. That it failed is kept until the batch system has said whether it starts it again. */
  #hear({ status, message }: StatusChange): Promise<JobSummary> {
    const { turns, name, store, reports } = this.#options;
    return turns.run(name.id, async () => {
      const job = await this.#job();
      if (job === null) throw this.#isOver();
      const reported = status === "ERROR" ? (message ?? "the run has failed without a reason") : null;
      if (job.batch.reported !== reported) {
        await store.recordRun(name.id, { batch: { ...job.batch, reported } });
      }
      const begins = status === "INPROGRESS" && job.status === "QUEUED";
      if (begins || status === "FINISHED") {
        await reports.setStatus(name.id, status, `batch job ${this.batchJob}`);
      }
      return await store.summary(name.id);
    });
  }

  #isOver(): RingstrasseError {
    const { id } = this.#options.name;
    const problem = `batch job ${this.batchJob} speaks for it no more`;
    const remedy = "Nothing has to be done: it was cancelled, or queued again";
    return new RingstrasseError({ code: "CONFLICT", what: "job", id, problem, remedy });
  }
}
