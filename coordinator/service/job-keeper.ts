import type { Failure, RingstrasseError } from "../../shared/failure.js";
import type { JobId } from "../../shared/ids.js";
import type { JobSummary } from "../store/job-record.js";

/** Who has jobs run, from their start to what becomes of them: on workers of this service, or by a batch system. */
export interface JobKeeper {
  /** Idle workers that runs which are about to start will take. */
  readonly setAside: number;

  /** `listener` is told when a run has ended, or when one that could not start may be tried again. */
  onEnded(listener: () => void): void;

  /** Whether this keeper has the job in hand, so that it need not be started. */
  has(id: JobId): boolean;

  /** Whether the job as it is now can't end but by {@link stop}. */
  mustEnd(job: JobSummary): boolean;

  /** Starts a waiting job. Whatever comes of it is told by the job itself. */
  start(id: JobId, workers: number): void;

  /** Has the job's run end for this reason. Resolves when that is done; at once when it has none. @throws RingstrasseError BATCH_REFUSED */
  stop(id: JobId, reason: RingstrasseError): Promise<void>;

  /** The service ends: what can't outlive it waits again, for the next one. */
  stopAll(reason: Failure): Promise<void>;

  /** Removes what the job's runs have written; what can't be removed is told to the log. */
  forgetOutput(id: JobId): Promise<void>;
}
