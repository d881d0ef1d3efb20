import type { ServerResponse } from "node:http";
import { HttpRefusal } from "../http-refusal.js";

/** When a client that was refused may try again. */
const RETRY_AFTER_S = 5;

/** Answers without an end of their own: they end when their client goes, or when the server closes. */
export class OpenStreams {
  readonly #streams = new Map<ServerResponse, AbortController>();
  readonly #graceMs: number;
  readonly #most: number;
  #isClosing = false;

  /**
   * @param graceMs after the server closed, clients that read nothing are cut off
   * @param most open at once: fewer than connections, so that streams never keep all other requests out
   */
  constructor(closing: AbortSignal, { graceMs, most }: { readonly graceMs: number; readonly most: number }) {
    this.#graceMs = graceMs;
    this.#most = most;
    closing.addEventListener("abort", () => this.#close(), { once: true });
  }

  get count(): number {
    return this.#streams.size;
  }

  /** @returns aborts when `response` has to end. @throws HttpRefusal 503: there are as many as there may be */
  open(response: ServerResponse): AbortSignal {
    if (this.#streams.size >= this.#most) throw tooMany(this.#most);
    const end = new AbortController();
    this.#streams.set(response, end);
    response.once("close", () => {
      this.#streams.delete(response);
      end.abort();
    });
    if (this.#isClosing || response.destroyed) end.abort();
    return end.signal;
  }

  #close(): void {
    this.#isClosing = true;
    for (const [response, end] of this.#streams) {
      const timer = setTimeout(() => response.destroy(), this.#graceMs);
      response.once("close", () => clearTimeout(timer));
      end.abort();
    }
  }
}

function tooMany(most: number): HttpRefusal {
  return new HttpRefusal({
    status: 503,
    code: "TOO_MANY_STREAMS",
    problem: `${most} streams of events are open, and there may be no more`,
    remedy: "Close one, or come back later",
    headers: { "retry-after": String(RETRY_AFTER_S) },
  });
}
