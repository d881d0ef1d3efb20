import type { ServerResponse } from "node:http";

/** Answers without an end of their own: they end when their client goes, or when the server closes. */
export class OpenStreams {
  readonly #streams = new Map<ServerResponse, AbortController>();
  readonly #graceMs: number;
  #isClosing = false;

  /** @param graceMs after the server closed, clients that read nothing are cut off */
  constructor(closing: AbortSignal, graceMs: number) {
    this.#graceMs = graceMs;
    closing.addEventListener("abort", () => this.#close(), { once: true });
  }

  get count(): number {
    return this.#streams.size;
  }

  /** @returns aborts when `response` has to end */
  open(response: ServerResponse): AbortSignal {
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
