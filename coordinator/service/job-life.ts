import type { JobEvent as StreamEvent } from "../../shared/api/job-event.js";
import type { Failure } from "../../shared/failure.js";
import type { JobId } from "../../shared/ids.js";
import type { JobEvent } from "../job/job-state.js";
import type { JobSummary } from "../store/job-record.js";
import type { JobStore, TransitionDetails } from "../store/job-store.js";
import { movedOrConflict } from "./job-conflict.js";
import type { JobStream } from "./job-stream.js";

/** Moves jobs from status to status, and tells their followers. */
export class JobLife {
  readonly #store: JobStore;
  readonly #stream: JobStream;

  constructor(store: JobStore, stream: JobStream) {
    this.#store = store;
    this.#stream = stream;
  }

  /** `last`: the run's last event, told with the status. @throws RingstrasseError CONFLICT, NOT_FOUND */
  async move(
    id: JobId,
    event: JobEvent,
    details: TransitionDetails,
    last: readonly StreamEvent[] = [],
  ): Promise<JobSummary> {
    const job = movedOrConflict(id, await this.#store.transition(id, event, details));
    await this.#stream.addStatus(job, last);
    return job;
  }

  /** Back to its place in the queue, without blame. */
  async sendBack(id: JobId, reason: Failure | null): Promise<JobSummary> {
    const job = await this.#store.sendBack(id, reason);
    await this.#stream.addStatus(job);
    return job;
  }
}
