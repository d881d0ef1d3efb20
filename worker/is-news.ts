import type { Failure } from "../shared/failure.js";

/** Whether a worker's failure is one that its coordinator, which tells the user, can't know unless this process says so. Pure. */
export function isNews(failure: Failure, hasJoined: boolean): boolean {
  return failure.code === "INTERNAL" || (failure.code === "ENGINE_UNAVAILABLE" && !hasJoined);
}
