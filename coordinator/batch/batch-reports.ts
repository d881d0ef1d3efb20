import type { JobId } from "../../shared/ids.js";
import type { JobService } from "../service/job-service.js";

/** What reports of a run change: as the service's own calls, in words that a batch job's keeper may put itself between. */
export type BatchReports = Pick<JobService, "report" | "reportingRun" | "replacePart" | "detail"> & {
  /** In the job's turn. @param place where the run is, for people @throws RingstrasseError CONFLICT, NOT_FOUND */
  readonly setStatus: (id: JobId, status: "INPROGRESS" | "FINISHED", place: string) => Promise<void>;
};
