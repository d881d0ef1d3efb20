import { encodeDocument } from "../../coordinator/store/check-arguments.js";
import { nextVersion } from "../../coordinator/store/job-changes.js";
import type { Job, JobSummary } from "../../coordinator/store/job-record.js";
import type { VersionedChange } from "../../coordinator/store/job-store.js";
import type { MemoryJobStreams } from "./memory-job-streams.js";

/** A job in memory, with its curves and events. */
export interface MemoryJobEntry {
  job: Job;
  readonly streams: MemoryJobStreams;
}

/** Pure. */
export function summaryOf({ document: _document, dl4j: _dl4j, ...summary }: Job): JobSummary {
  return summary;
}

/** The job with another document. Pure. @throws RingstrasseError CONFLICT, QUOTA_EXCEEDED, DOCUMENT_INVALID */
export function withDocument(job: Job, change: VersionedChange): Job {
  encodeDocument(change.document);
  const { json, xml } = change.document;
  return { ...job, ...nextVersion(job, change), document: { json, xml } };
}
