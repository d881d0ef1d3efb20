import { RingstrasseError } from "../../shared/failure.js";
import type { Collective, Exchange, ExchangeReport, TotalPlaces } from "./collective.js";

/** Payload bytes that an exchange has moved on this worker. */
export type MovedBytes = Pick<ExchangeReport, "sentBytes" | "receivedBytes">;

/**
 * Holds callers to a collective's contract: one exchange at a time, sequences rising by one, none after a failure, none after the end.
 * And times the exchanges.
 */
export abstract class GuardedCollective implements Collective {
  abstract readonly name: string;
  abstract readonly ordered: boolean;
  abstract readonly totals: TotalPlaces;
  #isUnderWay = false;
  #last: number | null = null;
  #failed: { readonly cause: unknown } | null = null;
  #isClosed = false;

  /**
   * @throws the signal's reason when aborted; what the exchange itself throws.
   * @throws RingstrasseError INTERNAL when the caller breaks the contract.
   */
  async allReduce(exchange: Exchange, signal: AbortSignal): Promise<ExchangeReport> {
    this.#check(exchange.sequence);
    try {
      signal.throwIfAborted();
      this.#last = exchange.sequence;
      this.#isUnderWay = true;
      const startMs = performance.now();
      const { sentBytes, receivedBytes } = await this.run(exchange, signal);
      return { sentBytes, receivedBytes, elapsedMs: performance.now() - startMs };
    } catch (cause) {
      this.#failed = { cause };
      throw cause;
    } finally {
      this.#isUnderWay = false;
    }
  }

  /** Refuses further exchanges. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    return Promise.resolve();
  }

  /** One exchange, when none is under way. @throws as {@link Collective.allReduce} */
  protected abstract run(exchange: Exchange, signal: AbortSignal): Promise<MovedBytes>;

  #check(sequence: number): void {
    if (this.#isClosed) throw misuse(`exchange ${sequence} was asked of a disposed collective`);
    if (this.#failed !== null) {
      const problem = `exchange ${sequence} was asked of a collective that has failed before; a new generation is needed`;
      throw misuse(problem, this.#failed.cause);
    }
    if (this.#isUnderWay) throw misuse(`exchange ${sequence} was asked while exchange ${this.#last} is under way`);
    if (!Number.isSafeInteger(sequence) || sequence < 0 || (this.#last !== null && sequence !== this.#last + 1)) {
      const expected = this.#last === null ? "a whole number" : String(this.#last + 1);
      throw misuse(`exchange ${sequence} was asked, expected ${expected}`);
    }
  }
}

function misuse(problem: string, cause?: unknown): RingstrasseError {
  return new RingstrasseError({ code: "INTERNAL", problem }, cause === undefined ? undefined : { cause });
}
