import { type Failure, RingstrasseError } from "../../shared/failure.js";
import type { JobId } from "../../shared/ids.js";
import { type JobEvent, nextJobStatus } from "../job/job-state.js";
import { interruptedOnce, mayGoOn, repeatedFailure } from "./interruptions.js";
import { type JobStreamEvent, type JobSummary, NO_RUN, type RunFacts } from "./job-record.js";
import type {
  Interruption,
  QueuePosition,
  RunPlan,
  Tell,
  TransitionDetails,
  TransitionResult,
  VersionedChange,
} from "./job-store.js";
import { documentConflict } from "./store-failure.js";

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
        run: planned(
          { ...NO_RUN, result, modelFileIds, outputDirectory, earlierAttempts: run.earlierAttempts + run.attempt },
          details.plan ?? {},
        ),
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
export function planned(run: RunFacts, plan: RunPlan): RunFacts {
  const { interruptions, workersWanted, workers, replicas, elsewhere, reporting, batch } = plan;
  const { outputDirectory, testRowsSha256 } = plan;
  return {
    ...run,
    interruptions: interruptions === undefined ? run.interruptions : interruptions,
    workersWanted: workersWanted === undefined ? run.workersWanted : workersWanted,
    workers: workers === undefined ? run.workers : workers,
    replicas: replicas === undefined ? run.replicas : replicas,
    elsewhere: elsewhere === undefined ? run.elsewhere : elsewhere,
    reporting: reporting === undefined ? run.reporting : reporting,
    batch: batch === undefined ? run.batch : batch,
    outputDirectory: outputDirectory === undefined ? run.outputDirectory : outputDirectory,
    testRowsSha256: testRowsSha256 === undefined ? run.testRowsSha256 : testRowsSha256,
  };
}

/**
 * Pure: what becomes of a job whose run was broken off: it waits again at its old place, unless that has happened too often without its getting
 * further; then it fails. Null: nothing, it was not running here.
 */
export function afterInterruption(
  job: JobSummary,
  { reason, savedStep }: Pick<Interruption, "reason" | "savedStep">,
  nowMs: number,
): JobSummary | null {
  if (!runsHere(job)) return null;
  const interruptions = interruptedOnce(job.run.interruptions, savedStep);
  const counted = { ...job, run: { ...job.run, interruptions } };
  if (mayGoOn(interruptions)) return waitingAgain(counted, reason, nowMs);
  const details = { reason: repeatedFailure(reason, interruptions) };
  const failed = applyEvent(counted, "fail", details, { nowMs, nextQueuePlace: 0 });
  return failed.kind === "moved" ? failed.job : null;
}

/**
 * Pure: a job whose run was called off through no fault of its own waits again at its old place, and the attempt does not count
 * against it. Null: it was running neither here nor as a batch job.
 */
export function sentBack(job: JobSummary, reason: Failure | null, nowMs: number): JobSummary | null {
  const runsAsBatchJob = job.status === "INPROGRESS" && job.run.batch !== null;
  const waiting = runsHere(job) || runsAsBatchJob ? waitingAgain(job, reason, nowMs) : null;
  if (waiting === null) return null;
  const { attempt, earlierAttempts } = waiting.run;
  return { ...waiting, run: { ...waiting.run, attempt: attempt - 1, earlierAttempts: earlierAttempts + 1 } };
}

function runsHere({ status, run }: JobSummary): boolean {
  return status === "INPROGRESS" && run.elsewhere === null;
}

function waitingAgain(job: JobSummary, reason: Failure | null, nowMs: number): JobSummary | null {
  const { attempt, earlierAttempts, interruptions, workersWanted } = job.run;
  const batch = job.run.batch === null ? null : { ...job.run.batch, reported: null };
  const context = { nowMs, nextQueuePlace: job.queuePlace ?? 0 };
  const failed = applyEvent(job, "fail", { reason }, context);
  if (failed.kind === "refused") return null;
  const queued = applyEvent(failed.job, "queue", { plan: { workersWanted, batch } }, context);
  if (queued.kind === "refused") return null;
  const run = { ...queued.job.run, attempt, earlierAttempts, interruptions };
  return { ...queued.job, run, queuedAt: job.queuedAt, statusReason: reason };
}

/** Pure: what another document changes of the job itself. @throws RingstrasseError CONFLICT: it was replaced since it was read */
export function nextVersion(
  { id, title, version }: JobSummary,
  { title: newTitle, expectedVersion }: Pick<VersionedChange, "title" | "expectedVersion">,
): Pick<JobSummary, "title" | "version"> {
  if (version !== expectedVersion) throw documentConflict(id, expectedVersion, version);
  return { title: newTitle === undefined ? title : newTitle, version: version + 1 };
}

/** Pure: whether a waiting job starts later than one that stands at `after`. */
export function isBehind({ priority, queuePlace }: JobSummary, after: QueuePosition | undefined): boolean {
  if (after === undefined) return true;
  return priority < after.priority || (priority === after.priority && (queuePlace ?? 0) > (after.queuePlace ?? 0));
}

/** For changes that nobody follows. */
export const tellNothing: Tell = () => [];

/** The one event that a store was given. */
export function onlyEvent([event]: readonly JobStreamEvent[]): JobStreamEvent {
  if (event !== undefined) return event;
  throw new RingstrasseError({ code: "INTERNAL", problem: "the store kept no event" });
}
