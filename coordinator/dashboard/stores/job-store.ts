import type { JobDetail } from "../../../shared/api/job-detail.js";
import { type JobMetrics, type StepPoint, toStepPoint } from "../../../shared/api/job-metrics.js";
import type { JobSummary } from "../../../shared/api/job-summary.js";
import type { EpochEvent, StepEvent } from "../../../shared/train-events.js";
import { unreachable } from "../../../shared/unreachable.js";
import type { ApiProblem } from "../api/api-error.js";
import type { Connection, NumberedEvent } from "../api/follow-events.js";
import { curvesUpTo, extendCurves, type JobCurves, NO_CURVES } from "./job-curves.js";
import { nextPace, type WorkerPace } from "./worker-pace.js";

/** What the page of one job shows. Bounded, however long the job runs. */
export interface JobState {
  /** Null until the first answer. */
  readonly detail: JobDetail | null;
  readonly curves: JobCurves;
  /** Of the attempt before: one that resumes goes on with them. */
  readonly earlierCurves: JobCurves;
  readonly lastEpoch: EpochEvent | null;
  readonly lastPoint: StepPoint | null;
  readonly pace: readonly WorkerPace[];
  readonly lastEventId: number;
  readonly connection: Connection;
  /** Why the job can't be shown. */
  readonly problem: ApiProblem | null;
  /** What became of the last command. */
  readonly command: CommandState;
}

export type CommandState =
  | { readonly kind: "none" }
  | { readonly kind: "running"; readonly name: string }
  | { readonly kind: "refused"; readonly name: string; readonly problem: ApiProblem };

export type JobAction =
  | { readonly kind: "loaded"; readonly detail: JobDetail; readonly metrics: JobMetrics }
  /** The figures on top anew; curves stay. */
  | { readonly kind: "refreshed"; readonly detail: JobDetail }
  /** As they were before the latest events: what those don't tell. */
  | { readonly kind: "caughtUp"; readonly detail: JobDetail }
  | { readonly kind: "events"; readonly events: readonly NumberedEvent[] }
  | { readonly kind: "connection"; readonly connection: Connection }
  | { readonly kind: "failed"; readonly problem: ApiProblem }
  | { readonly kind: "command"; readonly command: CommandState };

/** Most warnings kept: the latest. */
const MAX_WARNINGS = 20;

export const EMPTY_JOB: JobState = {
  detail: null,
  curves: NO_CURVES,
  earlierCurves: NO_CURVES,
  lastEpoch: null,
  lastPoint: null,
  pace: [],
  lastEventId: 0,
  connection: { kind: "connecting" },
  problem: null,
  command: { kind: "none" },
};

/** Pure. */
export function reduceJob(state: JobState, action: JobAction): JobState {
  switch (action.kind) {
    case "loaded":
      return loaded(state, action.detail, action.metrics);
    case "refreshed":
      return { ...state, detail: bounded(action.detail), problem: null };
    case "caughtUp":
      return { ...caughtUp(state, action.detail), problem: null };
    case "events":
      return withEvents(state, action.events);
    case "connection":
      return { ...state, connection: action.connection };
    case "failed":
      return { ...state, problem: action.problem };
    case "command":
      return { ...state, command: action.command };
    default:
      return unreachable(action);
  }
}

function loaded(state: JobState, detail: JobDetail, metrics: JobMetrics): JobState {
  const last = detail.lastStep;
  const curves = extendCurves(NO_CURVES, metrics);
  return {
    ...state,
    detail: bounded(detail),
    curves,
    // Of an attempt that has just started, and is yet to say that it resumes, these are those of the one before.
    earlierCurves: curves,
    lastEpoch: metrics.epochs.at(-1) ?? null,
    lastPoint: metrics.steps.at(-1) ?? null,
    pace: last === null ? [] : nextPace([], last),
    lastEventId: detail.lastEventId,
    problem: null,
  };
}

function bounded(detail: JobDetail): JobDetail {
  return { ...detail, warnings: latestWarnings(detail.warnings) };
}

/** Each once: a step that can't be saved may be told of a thousand times in the same words. */
function latestWarnings(warnings: readonly string[]): string[] {
  return [...new Set(warnings)].slice(-MAX_WARNINGS);
}

function caughtUp(state: JobState, { job, files, failure }: JobDetail): JobState {
  const { attempt, priority } = job;
  const next = onDetail(onJob(state, { attempt, priority }), { files });
  // Of another status it would be that of another attempt.
  return state.detail?.job.status === job.status ? onDetail(next, { failure }) : next;
}

/** Curves are extended once per stretch between two starts, not once per event. */
function withEvents(before: JobState, events: readonly NumberedEvent[]): JobState {
  if (before.detail === null) return before;
  let state = before;
  let fresh: { steps: StepPoint[]; epochs: EpochEvent[] } = { steps: [], epochs: [] };
  for (const { id, event } of events) {
    if (id <= state.lastEventId) continue;
    state = { ...state, lastEventId: id };
    if (event.event === "step") {
      const point = toStepPoint(event);
      fresh.steps.push(point);
      state = stepped(state, event, point);
    } else if (event.event === "epoch") {
      fresh.epochs.push(event);
      state = { ...onJob(state, epochFigures(event)), lastEpoch: event };
    } else if (event.event === "started") {
      // What came before belongs to another attempt.
      const earlierCurves = extendCurves(state.curves, fresh);
      fresh = { steps: [], epochs: [] };
      state = { ...restarted(state, event), earlierCurves };
    } else state = told(state, event);
  }
  return state === before ? before : { ...state, curves: extendCurves(state.curves, fresh) };
}

function stepped(state: JobState, event: StepEvent, point: StepPoint): JobState {
  const next = onJob(state, { step: event.step });
  return { ...onDetail(next, { lastStep: event }), lastPoint: point, pace: nextPace(state.pace, event) };
}

/** Warnings stay: those of a run come before it starts, from its document, its data and why it begins again. */
function restarted(state: JobState, started: NonNullable<JobDetail["started"]>): JobState {
  const { workers, replicas, epochs } = started;
  const fresh = { trainLoss: null, trainAccuracy: null, testAccuracy: null, samplesPerSecond: null };
  const next = onJob(state, { ...fresh, workers, replicas, epochs, epoch: 0, step: 0 });
  return {
    ...onDetail(next, {
      started,
      generation: null,
      collective: null,
      lastStep: null,
      result: null,
      failure: null,
    }),
    curves: NO_CURVES,
    lastEpoch: null,
    lastPoint: null,
    pace: [],
  };
}

/** The attempt goes on behind a step of the one before. */
function resumed(state: JobState, step: number): JobState {
  const { stepsPerEpoch = 1 } = state.detail?.started ?? {};
  const next = onJob(state, { epoch: Math.floor(step / stepsPerEpoch), step });
  return { ...next, curves: curvesUpTo(state.earlierCurves, step) };
}

type Announcement = Exclude<NumberedEvent["event"], { event: "step" | "epoch" | "started" }>;

function told(state: JobState, event: Announcement): JobState {
  switch (event.event) {
    case "generation":
      return { ...onDetail(state, { generation: event }), pace: [] };
    case "collective":
      return onDetail(state, { collective: event });
    case "checkpoint":
      return state;
    case "resumed":
      return resumed(state, event.step);
    case "warning":
      return onDetail(state, { warnings: latestWarnings([...(state.detail?.warnings ?? []), event.message]) });
    case "finished":
      return onDetail(onJob(state, { status: "FINISHED", statusReason: null }), { result: event, failure: null });
    case "failed":
      return onJob(state, { status: "ERROR", statusReason: { code: event.code, message: event.message } });
    case "status": {
      const next = onJob(state, { status: event.status, statusReason: event.statusReason });
      // As the server has it: what was told since the job began to wait is of the attempt that follows.
      return event.status === "QUEUED" ? onDetail(next, { warnings: [] }) : next;
    }
    default:
      return unreachable(event);
  }
}

function epochFigures(event: EpochEvent): Partial<JobSummary> {
  const { epoch, epochs, steps, trainLoss, trainAccuracy, testAccuracy, samplesPerSecond } = event;
  return { epoch, epochs, step: steps, trainLoss, trainAccuracy, testAccuracy, samplesPerSecond };
}

function onDetail(state: JobState, changes: Partial<JobDetail>): JobState {
  return state.detail === null ? state : { ...state, detail: { ...state.detail, ...changes } };
}

function onJob(state: JobState, changes: Partial<JobSummary>): JobState {
  return state.detail === null ? state : onDetail(state, { job: { ...state.detail.job, ...changes } });
}
