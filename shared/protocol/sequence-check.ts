import { RingstrasseError } from "../failure.js";
import type { FromCoordinator, FromWorker } from "./control-message.js";

type Kind = FromWorker["kind"] | FromCoordinator["kind"];

/**
 * Whether a message says no more than that its sender is there: one more or less of them is no matter, and a link that broke for a moment
 * may have lost some. All others count.
 */
export function isLifeSign(kind: Kind): boolean {
  return kind === "heartbeat" || kind === "alive";
}

/**
 * The receiving end's view of a link's count of messages. A message that counts bears the number of those sent before it, and so does a
 * life sign: thus a message that was lost is noticed at the next life sign at the latest.
 */
export class SequenceCheck {
  readonly #from: string;
  #expected: number;

  /** @param from the sender, for messages @param expected number of the next message that counts */
  constructor(from: string, expected: number) {
    this.#from = from;
    this.#expected = expected;
  }

  /** To be asked of every message of the link, in their order. @throws RingstrasseError PROTOCOL_VIOLATION naming sender and message */
  check({ kind, sequence }: { readonly kind: Kind; readonly sequence: number }): void {
    const expected = this.#expected;
    if (sequence !== expected) {
      const lost = sequence - expected;
      const what =
        lost > 0 ? `${lost} ${lost === 1 ? "message was" : "messages were"} lost before it` : "it came before";
      const problem = `its ${kind} bears the number ${sequence}, expected ${expected}: ${what}`;
      throw new RingstrasseError({ code: "PROTOCOL_VIOLATION", from: this.#from, problem });
    }
    if (!isLifeSign(kind)) this.#expected += 1;
  }
}
