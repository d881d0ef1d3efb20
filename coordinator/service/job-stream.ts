import type { JobEvent } from "../../shared/api/job-event.js";
import { describeFailure } from "../../shared/describe-failure.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { InterruptionFailure } from "../../shared/failure-place.js";
import type { JobId } from "../../shared/ids.js";
import { failedEvent } from "../../shared/train-events.js";
import { describeGoingOn } from "../store/interruptions.js";
import type { JobStreamEvent, JobSummary } from "../store/job-record.js";
import type { JobStore, NewEvent } from "../store/job-store.js";

/** Read at once for one follower: what its memory is bounded by. */
const FOLLOW_PAGE = 200;

/**
 * The events of all jobs: kept in the store first, then told to whoever follows. Followers read from the store, each at its own pace,
 * so that they cost no memory and see no holes.
 */
export class JobStream {
  readonly #store: JobStore;
  readonly #followers = new Map<JobId, Set<Bell>>();
  #isClosed = false;

  constructor(store: JobStore) {
    this.#store = store;
  }

  /** Resolves when the events are kept, and numbered. */
  async add(id: JobId, events: readonly JobEvent[]): Promise<void> {
    if (events.length === 0) return;
    await this.#store.addEvents(id, events.map(encodeEvent));
    this.ring(id);
  }

  /** Has followers look again: there are new events, or the job is gone. */
  ring(id: JobId): void {
    for (const bell of this.#followers.get(id) ?? []) bell.ring();
  }

  /** Ends all followers. */
  close(): void {
    this.#isClosed = true;
    for (const id of this.#followers.keys()) this.ring(id);
  }

  /** As `JobService.follow`. @throws RingstrasseError NOT_FOUND at the first event, when there is no such job */
  async *follow(id: JobId, after: number, signal: AbortSignal): AsyncGenerator<JobStreamEvent, void, void> {
    // An unknown job is an error; one that goes while it is followed ends the stream.
    await this.#store.lastEventNumber(id);
    const bell = new Bell();
    const ring = () => bell.ring();
    this.#join(id, bell);
    signal.addEventListener("abort", ring);
    try {
      let last = after;
      while (!signal.aborted && !this.#isClosed) {
        const events = await this.#read(id, last);
        if (events === null) return;
        for (const event of events) {
          if (signal.aborted) return;
          last = event.sequence;
          yield event;
        }
        if (events.length < FOLLOW_PAGE) await bell.rung();
      }
    } finally {
      signal.removeEventListener("abort", ring);
      this.#leave(id, bell);
    }
  }

  async #read(id: JobId, after: number): Promise<readonly JobStreamEvent[] | null> {
    try {
      return (await this.#store.events(id, after, FOLLOW_PAGE)).events;
    } catch (thrown) {
      if (thrown instanceof RingstrasseError && thrown.failure.code === "NOT_FOUND") return null;
      throw thrown;
    }
  }

  #join(id: JobId, bell: Bell): void {
    const bells = this.#followers.get(id) ?? new Set();
    this.#followers.set(id, bells.add(bell));
  }

  #leave(id: JobId, bell: Bell): void {
    const bells = this.#followers.get(id);
    bells?.delete(bell);
    if (bells?.size === 0) this.#followers.delete(id);
  }
}

/** Rung at any time; whoever waits, or comes to wait next, is let through once. */
class Bell {
  #isRung = false;
  #wake: () => void = () => undefined;

  ring(): void {
    this.#isRung = true;
    this.#wake();
  }

  async rung(): Promise<void> {
    if (!this.#isRung) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#isRung = false;
  }
}

/** `before`, and then the status of the job as it is: for the store to keep together with what has changed it. Pure. */
export function statusEvents({ status, statusReason }: JobSummary, before: readonly JobEvent[] = []): NewEvent[] {
  const reason = statusReason === null ? null : { code: statusReason.code, message: describeFailure(statusReason) };
  const event: JobEvent = { event: "status", status, statusReason: reason };
  return [...before, event].map(encodeEvent);
}

/** What is told of a job whose run was broken off, as it is now: how it failed, or that it goes on, behind its status. Pure. */
export function interruptionEvents(job: JobSummary, reason: InterruptionFailure): NewEvent[] {
  if (job.status === "ERROR") return statusEvents(job, [failedEvent(job.statusReason ?? reason)]);
  const message = `${describeFailure(reason)}. ${describeGoingOn(job.run.interruptions)}`;
  return [...statusEvents(job), encodeEvent({ event: "warning", message })];
}

function encodeEvent(event: JobEvent): NewEvent {
  return { kind: event.event, data: JSON.stringify(event) };
}
