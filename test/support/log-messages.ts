import { type Logger, pino } from "pino";
import { type Deferred, deferred } from "../../shared/deferred.js";

/** What a log was told, and a way to wait for it. */
export class LogMessages {
  readonly messages: string[] = [];
  readonly #awaited: { readonly wanted: RegExp; readonly come: Deferred<void> }[] = [];
  readonly log: Logger = pino({ level: "info" }, { write: (line: string) => this.#hear(line) });

  /** Resolves with the next message of this kind. */
  next(wanted: RegExp): Promise<void> {
    const come = deferred<void>();
    this.#awaited.push({ wanted, come });
    return come.promise;
  }

  count(wanted: RegExp): number {
    return this.messages.filter((message) => wanted.test(message)).length;
  }

  #hear(line: string): void {
    const { msg } = JSON.parse(line) as { msg: string };
    this.messages.push(msg);
    for (const { wanted, come } of this.#awaited) if (wanted.test(msg)) come.resolve();
  }
}
