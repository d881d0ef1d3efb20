import type { WorkerState } from "../../../shared/api/cluster.js";
import type { JobStatus } from "../../../shared/api/job-status.js";

/** A status as text on a colour of its own: neither alone carries the meaning. */
export function StatusBadge({ status }: { readonly status: JobStatus | WorkerState }) {
  return <span class={`badge ${status.toLowerCase()}`}>{status}</span>;
}
