import { RingstrasseError } from "../../shared/failure.js";
import type { JobId } from "../../shared/ids.js";
import { JOB_STATUSES, type JobEvent, type JobStatus, nextJobStatus } from "../job/job-state.js";
import type { TransitionResult } from "../store/job-store.js";

const EVENTS: readonly JobEvent[] = ["queue", "start", "finish", "fail"];

/** Statuses that may follow on `status`, in the order in which jobs pass through them. Pure. */
export function statusesAfter(status: JobStatus): JobStatus[] {
  const reachable = EVENTS.flatMap((event) => {
    const next = nextJobStatus(status, event);
    return next.kind === "moved" ? [next.status] : [];
  });
  return JOB_STATUSES.filter((candidate) => reachable.includes(candidate));
}

/** The job's status forbids a change. */
export function statusConflict(id: JobId, status: JobStatus, problem: string): RingstrasseError {
  const remedy = `It is ${status}; allowed from there: ${statusesAfter(status).join(", ")}`;
  return new RingstrasseError({ code: "CONFLICT", what: "job", id, problem, remedy });
}

/** The job as it moved. @throws RingstrasseError CONFLICT when it did not */
export function movedOrConflict(
  id: JobId,
  result: TransitionResult,
): Extract<TransitionResult, { kind: "moved" }>["job"] {
  if (result.kind === "moved") return result.job;
  throw statusConflict(id, result.status, result.reason);
}
