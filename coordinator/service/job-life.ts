import type { JobEvent as StreamEvent } from "../../shared/api/job-event.js";
import type { Failure } from "../../shared/failure.js";
import type { JobId } from "../../shared/ids.js";
import type { JobEvent } from "../job/job-state.js";
import type { JobSummary } from "../store/job-record.js";
import type {
  Interruption,
  JobStore,
  RunPlan,
  StartDetails,
  TransitionDetails,
  TransitionResult,
} from "../store/job-store.js";
import { movedOrConflict } from "./job-conflict.js";
import { interruptionEvents, type JobStream, statusEvents } from "./job-stream.js";

/**
 * Moves jobs from status to status, and tells their followers. A status and the word of it are kept together: whenever the process
 * ends, nobody waits for an event that never comes.
 */
export class JobLife {
  readonly #store: JobStore;
  readonly #stream: JobStream;

  constructor(store: JobStore, stream: JobStream) {
    this.#store = store;
    this.#stream = stream;
  }

  /** `last`: the run's last event, told with the status. @throws RingstrasseError CONFLICT, NOT_FOUND; of a document as the store */
  async move(
    id: JobId,
    event: JobEvent,
    details: Omit<TransitionDetails, "tell">,
    last: readonly StreamEvent[] = [],
  ): Promise<JobSummary> {
    const tell = (job: JobSummary) => statusEvents(job, last);
    const job = movedOrConflict(id, await this.#store.transition(id, event, { ...details, tell }));
    this.#stream.ring(id);
    return job;
  }

  /** As `JobStore.claim`. */
  async claim(id: JobId, details: Omit<StartDetails, "tell"> = {}): Promise<TransitionResult> {
    const result = await this.#store.claim(id, { ...details, tell: statusEvents });
    this.#stream.ring(id);
    return result;
  }

  /**
   * A run elsewhere takes the job, waiting or not: a job that does not wait is queued first. All of it is kept, or nothing, so that
   * nobody else finds it waiting in between. @param waits whether it is QUEUED, as only the caller may change now
   */
  async claimElsewhere(id: JobId, { waits, plan }: { waits: boolean; plan: RunPlan }): Promise<JobSummary> {
    // Asked for at once, the changes share one transaction.
    const queued = waits ? null : this.move(id, "queue", {});
    const claimed = this.claim(id, { plan });
    await Promise.all([queued, claimed]);
    return movedOrConflict(id, await claimed);
  }

  /** Back to its place in the queue, without blame. */
  async sendBack(id: JobId, reason: Failure | null): Promise<JobSummary> {
    const job = await this.#store.sendBack(id, reason, statusEvents);
    this.#stream.ring(id);
    return job;
  }

  /** As `JobStore.interrupt`. A job that goes on is told so in a warning, which stays with its next run. */
  async interrupt(id: JobId, { reason, savedStep }: Omit<Interruption, "tell">): Promise<JobSummary> {
    const tell = (job: JobSummary) => interruptionEvents(job, reason);
    const job = await this.#store.interrupt(id, { reason, savedStep, tell });
    this.#stream.ring(id);
    return job;
  }
}
