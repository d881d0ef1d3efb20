import { type Failure, RingstrasseError } from "../../shared/failure.js";

export type InterruptedFailure = Extract<Failure, { code: "INTERRUPTED" }>;

/** After these a run saves its state and ends. Launchers and batch systems send them some time before they kill. */
const SAVING = new Set(["SIGTERM", "SIGUSR1", "SIGUSR2"]);
/** The signals that a run hears. */
export const INTERRUPTIONS: readonly NodeJS.Signals[] = ["SIGINT", "SIGHUP", "SIGTERM", "SIGUSR1", "SIGUSR2"];

/**
 * What signals mean to a run. SIGTERM, SIGUSR1 and SIGUSR2: save the state and end; where nobody can save any, end. SIGINT and SIGHUP: end.
 * Batch systems send several: a SIGUSR1 or SIGUSR2 that follows another signal says nothing new, and neither does the first SIGTERM
 * after one. Any other second signal ends the process at once.
 */
export class Interruption {
  readonly #abort = new AbortController();
  readonly #endAtOnce: (signal: string) => void;
  readonly #heard = new Set<string>();
  #handler: ((failure: InterruptedFailure) => void) | null = null;

  /** @param endAtOnce ends the process */
  constructor(endAtOnce: (signal: string) => void) {
    this.#endAtOnce = endAtOnce;
  }

  /** Aborts when the run is to end without saving anything; the reason is a RingstrasseError. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Gives the run a way to save its state before it ends. One at a time. */
  onStop(handler: (failure: InterruptedFailure) => void): Disposable {
    this.#handler = handler;
    return {
      [Symbol.dispose]: () => {
        this.#handler = null;
      },
    };
  }

  hear(signal: string): void {
    const isRequest = signal === "SIGUSR1" || signal === "SIGUSR2";
    if (!isRequest && (this.#abort.signal.aborted || this.#heard.has(signal))) return this.#endAtOnce(signal);
    const isFirst = this.#heard.size === 0;
    this.#heard.add(signal);
    const failure = { code: "INTERRUPTED", signal } as const;
    if (!SAVING.has(signal)) return this.#abort.abort(new RingstrasseError(failure));
    if (!isFirst) return;
    if (this.#handler === null) this.#abort.abort(new RingstrasseError(failure));
    else this.#handler(failure);
  }

  /** Ends the run for another reason. */
  fail(reason: unknown): void {
    this.#abort.abort(reason);
  }
}
