import type { Failure } from "../../shared/failure.js";
import type { JobId } from "../../shared/ids.js";
import { type JobEvent, nextJobStatus } from "../job/job-state.js";
import { type JobSummary, NO_RUN, type RunFacts } from "./job-record.js";
import type { RunPlan, TransitionDetails, TransitionResult } from "./job-store.js";

/** What a change needs to know of the world. */
export interface ChangeContext {
  readonly nowMs: number;
  /** One more than that of any job in the store. */
  readonly nextQueuePlace: number;
}

/** Pure: a job as it begins, before a store has numbered it. */
export function newJob(
  job: { readonly id: JobId; readonly title: string | null; readonly priority: number },
  nowMs: number,
): Omit<JobSummary, "number"> {
  return {
    ...job,
    status: "CREATED",
    statusReason: null,
    queuedAt: null,
    queuePlace: null,
    run: NO_RUN,
    progress: null,
    version: 1,
    createdAt: nowMs,
    updatedAt: nowMs,
  };
}

/** Pure: what `event` makes of a job. All stores decide by it. */
export function applyEvent(
  job: JobSummary,
  event: JobEvent,
  details: TransitionDetails,
  context: ChangeContext,
): TransitionResult {
  const next = nextJobStatus(job.status, event);
  if (next.kind === "refused")
    return { kind: "refused", status: job.status, reason: next.reason, allowed: next.allowed };
  return {
    kind: "moved",
    job: { ...job, ...consequences(job, event, details, context), status: next.status, updatedAt: context.nowMs },
  };
}

function consequences(
  job: JobSummary,
  event: JobEvent,
  details: TransitionDetails,
  { nowMs, nextQueuePlace }: ChangeContext,
): Partial<JobSummary> {
  const { run } = job;
  switch (event) {
    case "queue": {
      const { result, modelFileIds, outputDirectory } = run;
      return {
        statusReason: null,
        queuePlace: nextQueuePlace,
        queuedAt: nowMs,
        progress: null,
        run: { ...NO_RUN, result, modelFileIds, outputDirectory },
      };
    }
    case "start":
      return {
        statusReason: null,
        progress: null,
        run: { ...planned(run, details.plan ?? {}), attempt: run.attempt + 1, startedAt: nowMs, finishedAt: null },
      };
    case "finish":
      return { statusReason: null, queuePlace: null, run: { ...run, ...details.outcome, finishedAt: nowMs } };
    case "fail":
      return { statusReason: details.reason ?? null, queuePlace: null, run: { ...run, finishedAt: nowMs } };
  }
}

/** Pure: a run's facts with what a plan adds. */
export function planned(run: RunFacts, { workers, replicas, elsewhere, outputDirectory }: RunPlan): RunFacts {
  return {
    ...run,
    workers: workers === undefined ? run.workers : workers,
    replicas: replicas === undefined ? run.replicas : replicas,
    elsewhere: elsewhere === undefined ? run.elsewhere : elsewhere,
    outputDirectory: outputDirectory === undefined ? run.outputDirectory : outputDirectory,
  };
}

/**
 * Pure: what becomes of a job whose server ended during its run: it fails, and unless it had its attempts, waits again at its old
 * place. Null: nothing, it was not running here.
 */
export function afterInterruption(
  job: JobSummary,
  policy: { readonly reason: Failure; readonly maxAttempts: number },
  nowMs: number,
): JobSummary | null {
  if (job.status !== "INPROGRESS" || job.run.elsewhere !== null) return null;
  const place = job.queuePlace ?? 0;
  const failed = applyEvent(job, "fail", { reason: policy.reason }, { nowMs, nextQueuePlace: place });
  if (failed.kind === "refused" || job.run.attempt >= policy.maxAttempts)
    return failed.kind === "moved" ? failed.job : null;
  const queued = applyEvent(failed.job, "queue", {}, { nowMs, nextQueuePlace: place });
  if (queued.kind === "refused") return failed.job;
  const run = { ...queued.job.run, attempt: job.run.attempt };
  return { ...queued.job, run, queuedAt: job.queuedAt, statusReason: policy.reason };
}
