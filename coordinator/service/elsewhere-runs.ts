import { RingstrasseError } from "../../shared/failure.js";
import type { JobId } from "../../shared/ids.js";
import type { TrainEvent } from "../../shared/train-events.js";
import { unreachable } from "../../shared/unreachable.js";
import type { JobSummary } from "../store/job-record.js";
import type { JobStore, RunPosition } from "../store/job-store.js";
import { statusConflict } from "./job-conflict.js";
import type { JobLife } from "./job-life.js";
import type { ModelFileReport, RunEventsReport, RunReport, StatusChange } from "./job-service.js";
import type { JobStream } from "./job-stream.js";
import type { KeyedTurns } from "./keyed-turns.js";
import { eventsToTell, metricRows, progressAfter } from "./run-records.js";
import type { RunResults } from "./run-results.js";
import type { TrainingTotals } from "./training-totals.js";

export interface ElsewhereRunsOptions {
  readonly store: JobStore;
  readonly stream: JobStream;
  readonly life: JobLife;
  readonly results: RunResults;
  readonly turns: KeyedTurns<JobId>;
  readonly now: () => number;
  readonly totals: TrainingTotals;
}

/** What is known of where such a run is. */
const ELSEWHERE = "external";

/** Runs that this service's workers have no part in: what they report is kept as if it were the service's own. */
export class ElsewhereRuns {
  readonly #options: ElsewhereRunsOptions;

  constructor(options: ElsewhereRunsOptions) {
    this.#options = options;
  }

  /** Any status but QUEUED. @throws RingstrasseError CONFLICT, NOT_FOUND */
  setStatus(id: JobId, change: StatusChange): Promise<JobSummary> {
    return this.#options.turns.run(id, async () => {
      const job = await this.#options.store.summary(id);
      refuseBatchJob(job);
      return await this.applyStatus(job, change, ELSEWHERE);
    });
  }

  /**
   * As {@link setStatus}, in the job's turn, for whoever knows whose word it is.
   * @param place where the run is, for people
   */
  async applyStatus(job: JobSummary, { status, message }: StatusChange, place: string): Promise<JobSummary> {
    const { id } = job;
    switch (status) {
      case "CREATED":
      case "QUEUED":
        throw statusConflict(id, job.status, `it can't become ${status} from outside`);
      case "INPROGRESS":
        return await this.#begin(job, place);
      case "FINISHED":
        refuseOwn(job);
        return await this.#options.life.move(id, "finish", {});
      case "ERROR": {
        refuseOwn(job);
        const problem = message ?? "the run was reported as failed, without a reason";
        return await this.#options.life.move(id, "fail", { reason: { code: "REPORTED", problem } });
      }
      default:
        return unreachable(status);
    }
  }

  /** As `JobService.reportingRun`. */
  async reportingRun(id: JobId): Promise<string | null> {
    return (await this.#options.store.summary(id)).run.reporting;
  }

  /** As `JobService.report`. */
  async report(id: JobId, report: RunReport): Promise<void> {
    switch (report.kind) {
      case "events":
        return await this.#options.turns.run(id, () => this.#keepEvents(id, report));
      case "modelFile":
        return await this.#keepModelFile(id, report);
      default:
        return unreachable(report);
    }
  }

  /** Takes a job over that does not run, in whatever status it is; its way leads through QUEUED, where nobody else gets it. */
  async #begin({ id, status, run: { modelFileIds } }: JobSummary, place: string): Promise<JobSummary> {
    if (status === "INPROGRESS") throw statusConflict(id, status, "it is in progress already");
    const { store, life } = this.#options;
    const plan = { elsewhere: place };
    const claimed = life.claimElsewhere(id, { waits: status === "QUEUED", plan });
    // What it ends with is its own result, or none. Asked for at once: kept together.
    await Promise.all([claimed, store.recordResult(id, { result: null, modelFileIds })]);
    return await claimed;
  }

  async #keepEvents(id: JobId, { events, run }: RunEventsReport): Promise<void> {
    const { store, stream, now, totals } = this.#options;
    const job = await this.#inProgressElsewhere(id);
    const own = events.map((event) => ("jobId" in event ? { ...event, jobId: id } : event));
    const at = now();
    const progress = progressAfter(job.progress, own, at);
    const changes: Promise<unknown>[] = [];
    if (run !== undefined && run !== job.run.reporting) changes.push(store.recordRun(id, { reporting: run }));
    const begin = beginOf(own);
    // It has been told of a run before, whose curves go as far as this one goes on with them.
    if (begin !== null && job.progress !== null) changes.push(store.forgetMetrics(id, begin));
    changes.push(store.addMetrics(id, metricRows(own, at)));
    if (progress !== null) changes.push(store.recordProgress(id, progress));
    for (const event of own) {
      const { modelFileIds } = job.run;
      if (event.event === "finished") changes.push(store.recordResult(id, { result: event, modelFileIds }));
      if (event.event !== "started") continue;
      changes.push(store.recordRun(id, { workers: event.workers, replicas: event.replicas }));
    }
    // Asked for at once, all of it shares one transaction, so that a crash keeps all or none.
    await Promise.all([...changes, stream.add(id, eventsToTell(own))]);
    totals.count(own);
  }

  /** The content arrives outside of the job's turn: it may take long. */
  async #keepModelFile(id: JobId, report: ModelFileReport): Promise<void> {
    const { store, results, turns } = this.#options;
    const { name } = report;
    await this.#inProgressElsewhere(id);
    const file = await results.keepModelFile(id, report);
    try {
      const replaced = await turns.run(id, async () => {
        const { run } = await this.#inProgressElsewhere(id);
        const earlier = await results.filesOf(run);
        const kept = earlier.filter((other) => other.name !== name);
        await store.recordResult(id, { result: run.result, modelFileIds: [...kept.map((other) => other.id), file.id] });
        return earlier.filter((other) => other.name === name);
      });
      await results.forget(replaced.map((other) => other.id));
    } catch (thrown) {
      await results.forget([file.id]);
      throw thrown;
    }
  }

  async #inProgressElsewhere(id: JobId): Promise<JobSummary> {
    const job = await this.#options.store.summary(id);
    if (job.status === "INPROGRESS" && job.run.elsewhere !== null) return job;
    const isOwn = job.status === "INPROGRESS";
    const problem = isOwn ? "it runs on this server's own workers" : `it is ${job.status}, not in progress elsewhere`;
    const remedy = "A run elsewhere begins by PUT /status/{id}/INPROGRESS";
    throw new RingstrasseError({ code: "CONFLICT", what: "job", id, problem, remedy });
  }
}

/** Where a run begins whose first word is among the events; null: it is not. Pure. */
function beginOf(events: readonly TrainEvent[]): RunPosition | null {
  const started = events.find((event) => event.event === "started");
  if (started === undefined) return null;
  const resumed = events.find((event) => event.event === "resumed");
  const step = resumed?.step ?? 0;
  return { epoch: Math.floor(step / started.stepsPerEpoch), step };
}

/** @throws RingstrasseError CONFLICT for a job whose batch job alone speaks for it */
function refuseBatchJob({ id, status, run: { batch } }: JobSummary): void {
  if (batch === null || (status !== "QUEUED" && status !== "INPROGRESS")) return;
  const problem = "it is a batch job of this server, which alone says how it goes on";
  const remedy = "Wait for it, or end it by POST /vinnsl/{id}/cancel";
  throw new RingstrasseError({ code: "CONFLICT", what: "job", id, problem, remedy });
}

/** @throws RingstrasseError CONFLICT for a run that only its keeper may end */
function refuseOwn({ id, status, run }: JobSummary): void {
  if (status !== "INPROGRESS" || run.elsewhere !== null) return;
  const problem = "it runs on this server's own workers, which alone say how it ends";
  const remedy = "Wait for it, or end it by POST /vinnsl/{id}/cancel; its status becomes FINISHED or ERROR";
  throw new RingstrasseError({ code: "CONFLICT", what: "job", id, problem, remedy });
}
