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
    if (!SAVING.has(signal)) {
      this.#heard.add(signal);
      this.#abort.abort(new RingstrasseError({ code: "INTERRUPTED", signal }));
    } else if (this.#heard.size > 0) this.#heard.add(signal);
    else this.#saveAfter(signal);
  }

  /**
   * Another rank was sent a signal. Most launchers send theirs to all ranks, so it says something only as the first; a signal after which
   * nothing is saved is that rank's alone, and the run learns of its end.
   */
  hearOf(signal: string, rank: number): void {
    if (this.#heard.size === 0 && SAVING.has(signal)) this.#saveAfter(`${signal} of rank ${rank}`);
  }

  /** Ends the run for another reason. */
  fail(reason: unknown): void {
    this.#abort.abort(reason);
  }

  #saveAfter(signal: string): void {
    this.#heard.add(signal);
    const failure = { code: "INTERRUPTED", signal } as const;
    if (this.#handler === null) this.#abort.abort(new RingstrasseError(failure));
    else this.#handler(failure);
  }
}
