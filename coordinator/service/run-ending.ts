import { RingstrasseError } from "../../shared/failure.js";
import type { InterruptedFailure } from "../cli/interruption.js";

/** For saving a run's state at the end of the server; containers are given 30 s for all of that end. */
const SAVING_MS = 15_000;

/** How one run is told to end. */
export class RunEnding implements Disposable {
  readonly #abort = new AbortController();
  #save: ((failure: InterruptedFailure) => void) | null = null;
  #shutdown: InterruptedFailure | null = null;
  #timer: NodeJS.Timeout | null = null;

  /** Aborts when the run is to end at once. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Why the job waits for the next server; null: the server doesn't end, or the run was to end for a reason of its own. */
  get shutdown(): InterruptedFailure | null {
    return this.#shutdown;
  }

  /** The run ends at once, and its job by this reason. */
  abort(reason: RingstrasseError): void {
    this.#shutdown = null;
    this.#abort.abort(reason);
  }

  /** The server ends: so does the run, after its state is saved; at once where there is none, and when that takes too long. */
  shutDown(failure: InterruptedFailure): void {
    if (this.signal.aborted) return;
    this.#shutdown = failure;
    const end = (): void => this.#abort.abort(new RingstrasseError(failure));
    if (this.#save === null) return end();
    this.#timer = setTimeout(end, SAVING_MS);
    this.#save(failure);
  }

  /** Gives the run a way to save its state before it ends. One at a time. */
  onStop(handler: (failure: InterruptedFailure) => void): Disposable {
    this.#save = handler;
    return {
      [Symbol.dispose]: () => {
        this.#save = null;
      },
    };
  }

  /** The run is over. */
  [Symbol.dispose](): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}
