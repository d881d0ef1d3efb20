import { Worker } from "node:worker_threads";
import type { CollectiveName, MeasuredChoice } from "../../shared/collective-choice.js";
import { deferred } from "../../shared/deferred.js";
import { type Failure, RingstrasseError } from "../../shared/failure.js";
import type { FromCoordinator, SegmentPlace, WorkerBody } from "../../shared/protocol/control-message.js";
import type { PushPull, PushPullReport } from "../async/push-pull.js";
import type { Collective, Exchange, ExchangeReport } from "../collective/collective.js";
import type { MemorySharing } from "../collective/memory-domain.js";
import { GenerationLink } from "./generation-link.js";
import { SnapshotBoard } from "./snapshot-board.js";
import type { Snapshot } from "./snapshot-sender.js";
import type { BoundRing, ConnectedRing, FromThread, RingPlan, ThreadStart, ToThread } from "./thread-messages.js";

/** A ring whose exchanges the main thread asks for. */
export interface FormedRing {
  /** Its exchanges run in the communication thread. */
  readonly collective: Collective;
  /** How it was chosen; null: it was settled before. */
  readonly measured: MeasuredChoice | null;
  /** Of an asynchronous job: what its steps do instead of an exchange. One call at a time, exchanges included. */
  readonly pushPull: (request: PushPull) => Promise<PushPullReport>;
}

interface Waiting<T> {
  resolve(value: T): void;
  reject(reason: unknown): void;
}

/**
 * The main thread's end of the communication thread. Sockets, heartbeats and reduction run over there, so they go on while the
 * main thread computes. There is one link to the coordinator at a time; when it breaks every call rejects with that failure, until
 * {@link connect} opens the next one.
 */
export class CommunicationClient implements AsyncDisposable {
  /** Says whether a checkpoint is wanted, and whether the last one is still on its way. */
  readonly snapshots = new SnapshotBoard();
  readonly #thread: Worker;
  readonly #closed: Promise<void>;
  #link = 0;
  #broken = new AbortController();
  #inbox: FromCoordinator[] = [];
  #generation: GenerationLink | null = null;
  #connecting: Waiting<MemorySharing> | null = null;
  #receiver: Waiting<FromCoordinator> | null = null;
  #binding: Waiting<BoundRing> | null = null;
  #connectingRing: Waiting<ConnectedRing> | null = null;
  #exchanging: Waiting<ExchangeReport> | null = null;
  #pushing: Waiting<PushPullReport> | null = null;
  #closingRing: Waiting<void> | null = null;
  /** Set once the thread itself is of no more use. */
  #end: RingstrasseError | null = null;

  constructor(start: Omit<ThreadStart, "snapshots">) {
    const workerData: ThreadStart = { ...start, snapshots: this.snapshots.memory };
    this.#thread = new Worker(new URL("./communication-thread.js", import.meta.url), { workerData });
    this.#thread.on("message", (message: FromThread) => this.#onMessage(message));
    this.#thread.on("error", (cause) => {
      const problem = `communication thread: ${cause.stack ?? cause.message}`;
      this.abort(new RingstrasseError({ code: "INTERNAL", problem }, { cause }));
    });
    this.#closed = new Promise((resolve) => this.#thread.once("exit", () => resolve()));
  }

  /** Aborts when the link is of no more use; the reason is a RingstrasseError. */
  get signal(): AbortSignal {
    return this.#broken.signal;
  }

  /**
   * Opens a link to the coordinator, in the place of the last one. @returns with whom this process can share memory
   * @throws RingstrasseError when the thread can't go on.
   */
  connect(): Promise<MemorySharing> {
    if (this.#end !== null) return Promise.reject(this.#end);
    this.#link += 1;
    this.#broken = new AbortController();
    this.#inbox = [];
    this.#generation = null;
    const connected = deferred<MemorySharing>();
    this.#connecting = connected;
    this.#post({ kind: "connect", link: this.#link });
    return connected.promise;
  }

  /** Sends to the coordinator; messages leave in order. */
  send(body: WorkerBody): void {
    this.#post({ kind: "send", body });
  }

  /** Sends a checkpoint's bytes beside all else; they must not change while the board says that it is busy. */
  sendSnapshot(snapshot: Snapshot): void {
    this.#post({ kind: "snapshot", snapshot });
  }

  /** The next message from the coordinator that is neither a life sign nor a release. One caller at a time. */
  receive(): Promise<FromCoordinator> {
    const message = this.#inbox.shift();
    if (message !== undefined) return Promise.resolve(message);
    this.#throwIfOver();
    const received = deferred<FromCoordinator>();
    this.#receiver = received;
    return received.promise;
  }

  /** The generation that the last `assign` began. */
  get generation(): GenerationLink {
    if (this.#generation === null) throw new Error("no generation was assigned");
    return this.#generation;
  }

  /** Binds this worker's end of a ring. @returns where the others find it. */
  bindRing(plan: RingPlan): Promise<BoundRing> {
    this.#throwIfOver();
    const bound = deferred<BoundRing>();
    this.#binding = bound;
    this.#post({ kind: "bindRing", plan });
    return bound.promise;
  }

  /**
   * Connects to the others, and opens the memory that they share; both by rank. Of several `collectives` the fastest is taken.
   */
  async connectRing(
    { collectives, ordered }: { readonly collectives: readonly CollectiveName[]; readonly ordered: boolean },
    endpoints: readonly string[],
    segments: readonly (SegmentPlace | null)[],
  ): Promise<FormedRing> {
    this.#throwIfOver();
    const connected = deferred<ConnectedRing>();
    this.#connectingRing = connected;
    this.#post({ kind: "connectRing", endpoints, segments });
    const { measured, totals } = await connected.promise;
    const collective: Collective = {
      name: measured === null ? collectives.join() : measured.collective,
      ordered,
      totals,
      allReduce: (exchange) => this.#exchange(exchange),
      // The ring stays until the generation is left: its last frames may still be on their way to a slower worker, and only the
      // coordinator knows when all have them.
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
    return { collective, measured, pushPull: (request) => this.#pushPull(request) };
  }

  /** After the coordinator's release: closes the ring, if there is one, and tells the coordinator that nothing is left. */
  async leaveGeneration(): Promise<void> {
    const { jobId, generation } = this.generation.assignment;
    const closed = deferred<void>();
    this.#closingRing = closed;
    this.#post({ kind: "closeRing" });
    await closed.promise;
    this.#generation = null;
    this.send({ kind: "released", jobId, generation });
  }

  /** Ends whatever waits for the group, for good: the worker leaves. */
  abort(reason: RingstrasseError): void {
    this.#end ??= reason;
    this.#break(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#post({ kind: "close" });
    await this.#closed;
  }

  #exchange(exchange: Exchange): Promise<ExchangeReport> {
    this.#throwIfOver();
    const exchanged = deferred<ExchangeReport>();
    this.#exchanging = exchanged;
    this.#post({ kind: "exchange", exchange });
    return exchanged.promise;
  }

  #pushPull(request: PushPull): Promise<PushPullReport> {
    this.#throwIfOver();
    const pushed = deferred<PushPullReport>();
    this.#pushing = pushed;
    this.#post({ kind: "pushPull", request });
    return pushed.promise;
  }

  #post(message: ToThread): void {
    this.#thread.postMessage(message);
  }

  #onMessage(message: FromThread): void {
    switch (message.kind) {
      case "connected":
        this.#connecting?.resolve(message.sharing);
        this.#connecting = null;
        break;
      case "received":
        // What an earlier link still had to say is of no interest.
        if (message.link === this.#link) this.#onReceived(message.message);
        break;
      case "ringBound":
        this.#binding?.resolve(message.ring);
        this.#binding = null;
        break;
      case "ringConnected":
        this.#connectingRing?.resolve(message);
        this.#connectingRing = null;
        break;
      case "ringFailed":
        for (const waiting of [this.#binding, this.#connectingRing])
          waiting?.reject(new RingstrasseError(message.failure));
        this.#binding = null;
        this.#connectingRing = null;
        break;
      case "exchanged":
        this.#exchanging?.resolve(message.report);
        this.#exchanging = null;
        break;
      case "pushed":
        this.#pushing?.resolve(message.report);
        this.#pushing = null;
        break;
      case "exchangeFailed":
        for (const waiting of [this.#exchanging, this.#pushing]) waiting?.reject(new RingstrasseError(message.failure));
        this.#exchanging = null;
        this.#pushing = null;
        break;
      case "ringClosed":
        this.#closingRing?.resolve();
        this.#closingRing = null;
        break;
      case "linkBroken":
        if (message.link === this.#link) this.#break(new RingstrasseError(message.failure));
        break;
      case "broken":
        this.abort(new RingstrasseError(message.failure));
        break;
      case "closed":
        break;
    }
  }

  #onReceived(message: FromCoordinator): void {
    if (message.kind === "assign") this.#generation = new GenerationLink(message);
    if (message.kind === "release") return this.#onRelease(message);
    const waiting = this.#receiver;
    this.#receiver = null;
    if (waiting === null) this.#inbox.push(message);
    else waiting.resolve(message);
    if (message.kind === "stop") this.#generation?.stopped();
    const verdict = endOf(message);
    // Whoever waits for anything else must hear the verdict too: the ring will never deliver again.
    if (verdict !== null) this.#break(new RingstrasseError(verdict));
  }

  #onRelease(message: Extract<FromCoordinator, { kind: "release" }>): void {
    if (this.#generation?.released(message) === true) this.#rejectWaiters(this.#generation.signal.reason);
  }

  #break(error: RingstrasseError): void {
    if (this.#broken.signal.aborted) return;
    this.#broken.abort(error);
    this.#generation?.broken(error);
    this.#connecting?.reject(error);
    this.#closingRing?.reject(error);
    this.#connecting = null;
    this.#closingRing = null;
    this.#rejectWaiters(error);
  }

  #rejectWaiters(reason: unknown): void {
    const waiters = [this.#receiver, this.#binding, this.#connectingRing, this.#exchanging, this.#pushing];
    for (const waiting of waiters) waiting?.reject(reason);
    this.#connectingRing = null;
    this.#receiver = null;
    this.#binding = null;
    this.#exchanging = null;
    this.#pushing = null;
  }

  #throwIfOver(): void {
    this.#broken.signal.throwIfAborted();
    this.#generation?.signal.throwIfAborted();
  }
}

/** The failure that ends the link for this worker, if the message brings one. */
function endOf(message: FromCoordinator): Failure | null {
  return message.kind === "refused" || message.kind === "stop" ? message.failure : null;
}
