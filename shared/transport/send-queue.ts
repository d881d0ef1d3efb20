export interface SendQueueOptions<T> {
  /** Sends one item; never called again before its promise has settled. */
  readonly send: (item: T) => Promise<void>;
  /** Told of every item that could not be sent; the queue goes on with the next one. */
  readonly onError: (error: unknown, item: T) => void;
}

/**
 * Sends one item at a time, in the order of the calls: a zeromq socket refuses a second `send` while one is under way,
 * whatever its high-water mark. The first item of an idle queue is handed over within the call, without a turn of the
 * event loop.
 */
export class SendQueue<T> {
  readonly #options: SendQueueOptions<T>;
  #waiting: T[] = [];
  #draining: Promise<void> | null = null;
  #isClosed = false;

  constructor(options: SendQueueOptions<T>) {
    this.#options = options;
  }

  /** Queues an item; returns at once. @throws Error after {@link close}. */
  push(item: T): void {
    if (this.#isClosed) throw new Error("send on a closed socket");
    this.#waiting.push(item);
    this.#draining ??= this.#drain();
  }

  /** Resolves when everything queued so far has been handed over or has failed. */
  async idle(): Promise<void> {
    await this.#draining;
  }

  /** Drops what is still waiting, and takes nothing more. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#waiting = [];
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      for (const item of batch) {
        if (this.#isClosed) break;
        try {
          await this.#options.send(item);
        } catch (error) {
          // Closing a socket rejects the send under way: that is what close() promises, not a failure.
          if (!this.#isClosed) this.#options.onError(error, item);
        }
      }
    }
    this.#draining = null;
  }
}
