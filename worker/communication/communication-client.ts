import { Worker } from "node:worker_threads";
import { type Failure, RingstrasseError } from "../../shared/failure.js";
import type { FromCoordinator, WorkerBody } from "../../shared/protocol/control-message.js";
import type { Collective, Exchange, ExchangeReport } from "../collective/collective.js";
import type { FromThread, RingPlan, ThreadStart, ToThread } from "./thread-messages.js";

interface Waiting<T> {
  resolve(value: T): void;
  reject(reason: unknown): void;
}

/**
 * The main thread's end of the communication thread. Sockets, heartbeats and reduction run over there, so they go on while the
 * main thread computes. After `broken` every call rejects with that failure.
 */
export class CommunicationClient implements AsyncDisposable {
  readonly #thread: Worker;
  readonly #inbox: FromCoordinator[] = [];
  readonly #broken = new AbortController();
  readonly #closed: Promise<void>;
  #receiver: Waiting<FromCoordinator> | null = null;
  #binding: Waiting<string> | null = null;
  #exchanging: Waiting<ExchangeReport> | null = null;

  constructor(start: ThreadStart) {
    this.#thread = new Worker(new URL("./communication-thread.js", import.meta.url), { workerData: start });
    this.#thread.on("message", (message: FromThread) => this.#onMessage(message));
    this.#thread.on("error", (cause) =>
      this.#break(
        new RingstrasseError(
          { code: "INTERNAL", problem: `communication thread: ${cause.stack ?? cause.message}` },
          { cause },
        ),
      ),
    );
    this.#closed = new Promise((resolve) => this.#thread.once("exit", () => resolve()));
  }

  /** Aborts when the thread can't go on, or the coordinator has called the job off; the reason is a RingstrasseError. */
  get signal(): AbortSignal {
    return this.#broken.signal;
  }

  /** Sends to the coordinator; messages leave in order. */
  send(body: WorkerBody): void {
    this.#post({ kind: "send", body });
  }

  /** The next message from the coordinator that is not a life sign. One caller at a time. */
  receive(): Promise<FromCoordinator> {
    const message = this.#inbox.shift();
    if (message !== undefined) return Promise.resolve(message);
    this.#throwIfBroken();
    return new Promise((resolve, reject) => {
      this.#receiver = { resolve, reject };
    });
  }

  /** Binds this worker's end of a ring. @returns the endpoint that the previous worker connects to. */
  bindRing(plan: RingPlan): Promise<string> {
    this.#throwIfBroken();
    return new Promise((resolve, reject) => {
      this.#binding = { resolve, reject };
      this.#post({ kind: "bindRing", plan });
    });
  }

  /** Connects to the next worker. @returns the ring's collective; its exchanges run in the communication thread. */
  connectRing(next: string): Collective {
    this.#post({ kind: "connectRing", next });
    return {
      name: "ring",
      ordered: true,
      allReduce: (exchange) => this.#exchange(exchange),
      // The ring stays until the next one is bound or the thread closes: its last frames may still be on their way to a slower
      // worker, and only the coordinator knows when all have them.
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }

  /** Ends whatever waits for the group, with this reason: the worker leaves. */
  abort(reason: RingstrasseError): void {
    this.#break(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#post({ kind: "close" });
    await this.#closed;
  }

  #exchange(exchange: Exchange): Promise<ExchangeReport> {
    this.#throwIfBroken();
    return new Promise((resolve, reject) => {
      this.#exchanging = { resolve, reject };
      this.#post({ kind: "exchange", exchange });
    });
  }

  #post(message: ToThread): void {
    this.#thread.postMessage(message);
  }

  #onMessage(message: FromThread): void {
    switch (message.kind) {
      case "received":
        this.#onReceived(message.message);
        break;
      case "ringBound":
        this.#binding?.resolve(message.endpoint);
        this.#binding = null;
        break;
      case "exchanged": {
        const waiting = this.#exchanging;
        this.#exchanging = null;
        waiting?.resolve(message.report);
        break;
      }
      case "exchangeFailed": {
        const waiting = this.#exchanging;
        this.#exchanging = null;
        waiting?.reject(new RingstrasseError(message.failure));
        break;
      }
      case "broken":
        this.#break(new RingstrasseError(message.failure));
        break;
      case "closed":
        break;
    }
  }

  #onReceived(message: FromCoordinator): void {
    const waiting = this.#receiver;
    this.#receiver = null;
    if (waiting === null) this.#inbox.push(message);
    else waiting.resolve(message);
    const verdict = endOf(message);
    // Whoever waits for anything else must hear the verdict too: the ring will never deliver again.
    if (verdict !== null) this.#break(new RingstrasseError(verdict));
  }

  #break(error: RingstrasseError): void {
    if (this.#broken.signal.aborted) return;
    this.#broken.abort(error);
    for (const waiting of [this.#receiver, this.#binding, this.#exchanging]) waiting?.reject(error);
    this.#receiver = null;
    this.#binding = null;
    this.#exchanging = null;
  }

  #throwIfBroken(): void {
    this.#broken.signal.throwIfAborted();
  }
}

/** The failure that ends the job for this worker, if the message brings one. */
function endOf(message: FromCoordinator): Failure | null {
  return message.kind === "refused" || message.kind === "stop" ? message.failure : null;
}
