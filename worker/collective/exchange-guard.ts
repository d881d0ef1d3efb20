import { RingstrasseError } from "../../shared/failure.js";
import type { Exchange, ExchangeReport } from "./collective.js";

/** Holds callers to a collective's contract: one exchange at a time, sequences rising by one, none after a failure. */
export class ExchangeGuard {
  #current: Promise<ExchangeReport> | null = null;
  #last: number | null = null;
  #failed: { readonly cause: unknown } | null = null;
  #isClosed = false;

  /**
   * Runs one exchange. @throws the signal's reason when aborted already.
   * @throws RingstrasseError INTERNAL when the caller breaks the contract.
   */
  async run(
    { sequence }: Exchange,
    signal: AbortSignal,
    exchange: () => Promise<ExchangeReport>,
  ): Promise<ExchangeReport> {
    this.#check(sequence);
    try {
      signal.throwIfAborted();
      this.#last = sequence;
      this.#current = exchange();
      return await this.#current;
    } catch (cause) {
      this.#failed = { cause };
      throw cause;
    } finally {
      this.#current = null;
    }
  }

  /** Refuses further exchanges. */
  close(): void {
    this.#isClosed = true;
  }

  #check(sequence: number): void {
    if (this.#isClosed) throw misuse(`exchange ${sequence} was asked of a disposed collective`);
    if (this.#failed !== null) {
      const problem = `exchange ${sequence} was asked of a collective that has failed before; a new generation is needed`;
      throw misuse(problem, this.#failed.cause);
    }
    if (this.#current !== null)
      throw misuse(`exchange ${sequence} was asked while exchange ${this.#last} is under way`);
    if (!Number.isSafeInteger(sequence) || sequence < 0 || (this.#last !== null && sequence !== this.#last + 1)) {
      const expected = this.#last === null ? "a whole number" : String(this.#last + 1);
      throw misuse(`exchange ${sequence} was asked, expected ${expected}`);
    }
  }
}

function misuse(problem: string, cause?: unknown): RingstrasseError {
  return new RingstrasseError({ code: "INTERNAL", problem }, cause === undefined ? undefined : { cause });
}
