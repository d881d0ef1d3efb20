import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { RingstrasseError } from "../../shared/failure.js";
import { decodeFromCoordinator, MessageEncoder } from "../../shared/protocol/codec.js";
import type { FromCoordinator, WorkerBody } from "../../shared/protocol/control-message.js";
import { SequenceCheck } from "../../shared/protocol/sequence-check.js";
import { DealerSocket } from "../../shared/transport/zeromq-sockets.js";
import type { ProgressBoard } from "./progress-board.js";
import type { ThreadStart } from "./thread-messages.js";

/** Before the coordinator's welcome says otherwise: how long the first answer may take. */
const WELCOME_TIMEOUT_MS = 60_000;
/** So long nothing but handshakes that fail: several attempts. */
const REFUSED_AFTER_MS = 2000;
/** Time for the last messages to leave when the connection closes. */
const FAREWELL_MS = 2000;

export interface ControlHandlers {
  /** Every message but life signs. */
  received(message: FromCoordinator): void;
  /** The connection is of no more use; called once. */
  broken(reason: RingstrasseError): void;
}

/** The worker's link to its coordinator: sends and receives control messages, and heartbeats from the welcome on. */
export class ControlConnection {
  readonly #socket: DealerSocket;
  readonly #encoder = new MessageEncoder();
  readonly #start: ThreadStart;
  readonly #board: ProgressBoard;
  readonly #handlers: ControlHandlers;
  readonly #reading: Promise<void>;
  #heartbeats: NodeJS.Timeout | null = null;
  #lastHeardMs = performance.now();
  #lastTickMs = performance.now();
  /** When a handshake failed first; null: none has. */
  #firstRefusalMs: number | null = null;
  #isBroken = false;
  readonly #wasWelcome: boolean;

  /**
   * @param wasWelcome whether a coordinator has let this worker in before: then it has the token, and handshakes that fail are a coordinator's that is
   * not back yet, behind a proxy that takes its connections. Nothing tells the one from the other.
   */
  constructor(start: ThreadStart, board: ProgressBoard, handlers: ControlHandlers, wasWelcome = false) {
    this.#start = start;
    this.#wasWelcome = wasWelcome;
    this.#board = board;
    this.#handlers = handlers;
    // The coordinator knows links by their routing ids: one that can't be guessed can't be taken over by a stranger.
    const routingId = `${start.workerId}/${randomBytes(16).toString("hex")}`;
    this.#socket = new DealerSocket(routingId, (error) => this.#break(error), {
      serverKey: start.coordinatorKey,
      onHandshake: () => {
        this.#firstRefusalMs = null;
      },
      onHandshakeFailed: () => this.#refused(),
    });
    this.#reading = this.#read();
    this.#watch(1000, WELCOME_TIMEOUT_MS);
    try {
      this.#socket.connect(start.coordinatorEndpoint);
    } catch (thrown) {
      // A malformed endpoint breaks the connection like anything else; thrown from here it would lose its name with the thread.
      queueMicrotask(() => this.#break(thrown));
    }
  }

  send(body: WorkerBody): void {
    if (!this.#isBroken) this.#socket.send([this.#encoder.encode(body)]);
  }

  async close(): Promise<void> {
    if (this.#heartbeats !== null) clearInterval(this.#heartbeats);
    // On a broken connection there is nobody to wait for.
    const farewellMs = this.#isBroken ? 0 : FAREWELL_MS;
    this.#isBroken = true;
    await this.#socket.close(farewellMs);
    await this.#reading;
  }

  async #read(): Promise<void> {
    const from = `coordinator ${this.#start.coordinatorEndpoint}`;
    const sequence = new SequenceCheck(from, 0);
    try {
      for await (const [bytes] of this.#socket) {
        this.#lastHeardMs = performance.now();
        const message = decodeFromCoordinator(bytes ?? new Uint8Array(), from);
        // A refusal may come from a coordinator that does not know this link, and has its own count.
        if (message.kind !== "refused") sequence.check(message);
        if (message.kind === "alive") continue;
        if (message.kind === "welcome") this.#watch(message.heartbeatIntervalMs, message.coordinatorTimeoutMs, true);
        this.#handlers.received(message);
      }
    } catch (thrown) {
      this.#break(thrown);
    }
  }

  /** Every `intervalMs`: looks whether the coordinator still answers, and sends a heartbeat when it is expected. */
  #watch(intervalMs: number, timeoutMs: number, withHeartbeats = false): void {
    if (this.#heartbeats !== null) clearInterval(this.#heartbeats);
    this.#heartbeats = setInterval(() => {
      const now = performance.now();
      // A late tick means that this process itself stood still: answers may wait unread, so that time does not count.
      const pausedMs = Math.max(0, now - this.#lastTickMs - 2 * intervalMs);
      this.#lastHeardMs += pausedMs;
      this.#lastTickMs = now;
      const silentMs = Math.round(now - this.#lastHeardMs);
      if (silentMs > timeoutMs)
        this.#break(lost(this.#start.coordinatorEndpoint, silentMs, this.#firstRefusalMs !== null));
      else if (withHeartbeats) this.send({ kind: "heartbeat", ...this.#board.read() });
    }, intervalMs);
  }

  /** One failed handshake may be a coordinator that is just starting or ending; nothing but failed ones is another token. */
  #refused(): void {
    const now = performance.now();
    this.#firstRefusalMs ??= now;
    if (!this.#wasWelcome && now - this.#firstRefusalMs > REFUSED_AFTER_MS) this.#break(refused(this.#start));
  }

  #break(thrown: unknown): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    if (this.#heartbeats !== null) clearInterval(this.#heartbeats);
    const reason =
      thrown instanceof RingstrasseError
        ? thrown
        : new RingstrasseError(
            { code: "INTERNAL", problem: `control connection: ${String(thrown)}` },
            { cause: thrown },
          );
    this.#handlers.broken(reason);
  }
}

function refused({ workerId, coordinatorEndpoint }: ThreadStart): RingstrasseError {
  return new RingstrasseError({
    code: "WORKER_REFUSED",
    workerId,
    host: hostname(),
    what: "the token",
    expected: `that of the coordinator at ${coordinatorEndpoint}`,
    got: "another, or what listens there is no coordinator",
    remedy:
      "Give the worker the coordinator's token (--token or RINGSTRASSE_TOKEN), and the address that the coordinator prints",
  });
}

function lost(endpoint: string, silentMs: number, isTakingConnections: boolean): RingstrasseError {
  const question = isTakingConnections
    ? "something takes connections there: is it a proxy, with the coordinator behind it not running, or has that another token now?"
    : "is it running, and can it be reached from this host?";
  const problem = `no answer for ${silentMs} ms; ${question}`;
  return new RingstrasseError({ code: "COORDINATOR_LOST", endpoint, silentMs, problem });
}
