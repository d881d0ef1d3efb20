import { describeFailure } from "../../shared/describe-failure.js";
import { toFailure } from "../../shared/failure.js";
import type { JobId } from "../../shared/ids.js";
import type { Logger } from "../../shared/logger.js";
import { growingPauseMs } from "./growing-pause.js";

interface Pause {
  readonly failures: number;
  /** Null: it is over. */
  readonly timer: NodeJS.Timeout | null;
}

/**
 * Jobs that could not be started, each of which is left alone for a time that grows from one failure to the next. The log is told once of
 * each cause in a row, however many jobs wait.
 */
export class StartPauses implements Disposable {
  readonly #log: Logger;
  readonly #pauses = new Map<JobId, Pause>();
  #trouble: string | null = null;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Whether the job is to be left alone now. */
  has(id: JobId): boolean {
    return (this.#pauses.get(id)?.timer ?? null) !== null;
  }

  /** The job could not be started: `over` is called when it may be tried again. */
  begin(id: JobId, thrown: unknown, over: () => void): void {
    const failures = (this.#pauses.get(id)?.failures ?? 0) + 1;
    const pauseMs = growingPauseMs(failures);
    const timer = setTimeout(() => {
      this.#pauses.set(id, { failures, timer: null });
      over();
    }, pauseMs);
    this.#pauses.set(id, { failures, timer });
    const words = describeFailure(toFailure(thrown));
    if (words !== this.#trouble)
      this.#log.error({ jobId: id, err: thrown, pauseMs }, "job could not be started; trying again");
    this.#trouble = words;
  }

  /** The job could be started. */
  end(id: JobId): void {
    this.forget(id);
    if (this.#trouble !== null) this.#log.info("jobs can be started again");
    this.#trouble = null;
  }

  /** The job is gone: its next pause is a first one. */
  forget(id: JobId): void {
    const timer = this.#pauses.get(id)?.timer ?? null;
    if (timer !== null) clearTimeout(timer);
    this.#pauses.delete(id);
  }

  /** Nothing is called any more. */
  [Symbol.dispose](): void {
    for (const id of [...this.#pauses.keys()]) this.forget(id);
  }
}
