import type { JobId } from "../../shared/ids.js";

/** Of the first pause in a row; each further one is twice as long, up to the longest. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

/** How long to wait after so many failures in a row, 1 or more. Pure. */
export function growingPauseMs(failures: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));
}

interface Pause {
  readonly failures: number;
  /** Null: it is over. */
  readonly timer: NodeJS.Timeout | null;
}

/** Jobs that could not be started, each of which is left alone for a time that grows from one failure to the next. */
export class StartPauses implements Disposable {
  readonly #pauses = new Map<JobId, Pause>();

  /** Whether the job is to be left alone now. */
  has(id: JobId): boolean {
    return (this.#pauses.get(id)?.timer ?? null) !== null;
  }

  /** The job could not be started: `over` is called when it may be tried again. @returns how long that is, in milliseconds */
  begin(id: JobId, over: () => void): number {
    const failures = (this.#pauses.get(id)?.failures ?? 0) + 1;
    const pauseMs = growingPauseMs(failures);
    const timer = setTimeout(() => {
      this.#pauses.set(id, { failures, timer: null });
      over();
    }, pauseMs);
    this.#pauses.set(id, { failures, timer });
    return pauseMs;
  }

  /** The job could be started, or is gone: its next pause is a first one. */
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
