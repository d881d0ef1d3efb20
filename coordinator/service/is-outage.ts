import { RingstrasseError } from "../../shared/failure.js";
import { isSystemError } from "../../shared/write-failure.js";

/** What a device says that is full, broken, read-only since it broke, or away: none of it is for the path, or the job, that met it. */
const PASSING: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EIO", "EROFS", "ESTALE"]);

/**
 * Pure: whether work failed for what the server keeps its data on (the database, the disk beside it, the room that all files together may
 * have), and may succeed once somebody has seen to that. A path that can't be written for a reason of its own (no permission, a file in the way) is none.
 */
export function isOutage(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  if (isSystemError(thrown)) return PASSING.has(thrown.code);
  if (!(thrown instanceof RingstrasseError)) return false;
  const { failure } = thrown;
  if (failure.code === "QUOTA_EXCEEDED") return failure.quota === "files";
  // Files may be lent under other names: then an OUTPUT_UNWRITABLE has one as its cause.
  return failure.code === "STORE_UNAVAILABLE" || (failure.code === "OUTPUT_UNWRITABLE" && isOutage(thrown.cause));
}
