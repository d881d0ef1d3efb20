import { unreachable } from "../../shared/unreachable.js";

/** The ViNNSL stack's own words for the life of a job. */
export const JOB_STATUSES = ["CREATED", "QUEUED", "INPROGRESS", "FINISHED", "ERROR"] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

export type JobEvent = "queue" | "start" | "finish" | "fail";

export type JobTransition =
  | { readonly kind: "moved"; readonly status: JobStatus }
  | { readonly kind: "refused"; readonly reason: string; readonly allowed: readonly JobEvent[] };

/** CREATED → QUEUED → INPROGRESS → FINISHED | ERROR; a finished or failed job may be queued again (retrain). */
const TRANSITIONS: Readonly<Record<JobStatus, Partial<Record<JobEvent, JobStatus>>>> = {
  CREATED: { queue: "QUEUED", fail: "ERROR" },
  QUEUED: { start: "INPROGRESS", fail: "ERROR" },
  INPROGRESS: { finish: "FINISHED", fail: "ERROR" },
  FINISHED: { queue: "QUEUED" },
  ERROR: { queue: "QUEUED" },
};

/** Pure: where `event` takes a job that is in `status`, or why it can't. */
export function nextJobStatus(status: JobStatus, event: JobEvent): JobTransition {
  const moves = TRANSITIONS[status];
  const target = moves[event];
  if (target !== undefined) return { kind: "moved", status: target };
  const allowed = Object.keys(moves) as JobEvent[];
  return { kind: "refused", reason: `a job that is ${status} can't ${describe(event)}`, allowed };
}

function describe(event: JobEvent): string {
  switch (event) {
    case "queue":
      return "be queued";
    case "start":
      return "start";
    case "finish":
      return "finish";
    case "fail":
      return "fail";
    default:
      return unreachable(event);
  }
}
