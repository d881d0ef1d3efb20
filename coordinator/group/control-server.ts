import { createHash, timingSafeEqual } from "node:crypto";
import { type Failure, RingstrasseError, toFailure } from "../../shared/failure.js";
import type { Logger } from "../../shared/logger.js";
import { decodeFromWorker, MessageEncoder } from "../../shared/protocol/codec.js";
import type { CoordinatorBody, FromWorker } from "../../shared/protocol/control-message.js";
import { RouterSocket } from "../../shared/transport/zeromq-sockets.js";

/** Time for the last messages to leave when the server closes. */
const FAREWELL_MS = 1000;

export type JoinMessage = Extract<FromWorker, { kind: "join" }>;

export interface ControlHandlers {
  /** A worker with the right token. @returns a failure to refuse it with, or null to let it in. */
  joined(message: JoinMessage): Failure | null;
  /** Any other message of a worker that was let in. */
  received(workerId: string, message: FromWorker): void;
  /** A worker that was let in sends what can't be understood, or can't be reached any more. */
  troubled(workerId: string, failure: Failure): void;
}

/** The coordinator's end of all control links. Nobody is heard before a `join` with the run's token. */
export class ControlServer implements AsyncDisposable {
  readonly #socket: RouterSocket;
  readonly #tokenHash: Buffer;
  readonly #log: Logger;
  /** By routing identity, which is the worker's id. */
  readonly #peers = new Map<string, MessageEncoder>();
  #reading: Promise<void> = Promise.resolve();

  private constructor(socket: RouterSocket, token: string, log: Logger) {
    this.#socket = socket;
    this.#tokenHash = digest(token);
    this.#log = log;
  }

  /** @throws RingstrasseError ENDPOINT_UNAVAILABLE */
  static async open(endpoint: string, token: string, log: Logger): Promise<ControlServer> {
    const socket = await RouterSocket.bind(endpoint, (error, identity) => {
      // Telling a dead worker that the job is over fails, and should.
      log.debug({ err: error, worker: identity.toString() }, "message not delivered");
    });
    return new ControlServer(socket, token, log);
  }

  /** Starts to hear workers; call once. Messages that came before wait. */
  listen(handlers: ControlHandlers): void {
    this.#reading = this.#read(handlers);
  }

  /** As workers reach it, with the real port. */
  get endpoint(): string {
    return this.#socket.endpoint;
  }

  /** Messages leave in order. Sending to a worker that is gone does nothing: its loss is noticed elsewhere. */
  send(workerId: string, body: CoordinatorBody): void {
    const encoder = this.#peers.get(workerId);
    if (encoder === undefined) throw new Error(`worker ${workerId} has not joined`);
    this.#socket.send(Buffer.from(workerId), [encoder.encode(body)]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#socket.close(FAREWELL_MS);
    await this.#reading;
  }

  async #read(handlers: ControlHandlers): Promise<void> {
    for await (const { identity, frames } of this.#socket) {
      const workerId = identity.toString();
      try {
        this.#onMessage(handlers, identity, decodeFromWorker(frames[0] ?? new Uint8Array(), `worker ${workerId}`));
      } catch (thrown) {
        const failure = toFailure(thrown);
        this.#log.warn({ err: thrown, worker: workerId }, "bad control message");
        if (this.#peers.has(workerId)) handlers.troubled(workerId, failure);
        else this.#refuse(identity, failure);
      }
    }
  }

  #onMessage(handlers: ControlHandlers, identity: Buffer, message: FromWorker): void {
    const workerId = identity.toString();
    if (message.kind !== "join") {
      if (!this.#peers.has(workerId)) throw violation(workerId, `it sent ${message.kind} before join`);
      handlers.received(workerId, message);
      return;
    }
    if (message.workerId !== workerId) throw violation(workerId, `it calls itself ${message.workerId} in its join`);
    if (this.#peers.has(workerId)) throw violation(workerId, "it joined twice");
    const refusal = this.#tokenIsRight(message.token) ? handlers.joined(message) : wrongToken(message);
    if (refusal !== null) {
      this.#refuse(identity, refusal);
      return;
    }
  }

  /** Opens the way to a worker that was let in; called by whoever handles `joined`, before its first message. */
  admit(workerId: string): void {
    this.#peers.set(workerId, new MessageEncoder());
  }

  #refuse(identity: Buffer, failure: Failure): void {
    this.#log.warn({ worker: identity.toString(), failure }, "refused");
    this.#socket.send(identity, [new MessageEncoder().encode({ kind: "refused", failure })]);
  }

  #tokenIsRight(token: string): boolean {
    return timingSafeEqual(digest(token), this.#tokenHash);
  }
}

function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

function wrongToken(message: JoinMessage): Failure {
  return {
    code: "WORKER_REFUSED",
    workerId: message.workerId,
    host: message.host,
    what: "the token",
    expected: "the coordinator's",
    got: "another",
    remedy: "Give the worker the coordinator's token (--token or RINGSTRASSE_TOKEN)",
  };
}

function violation(workerId: string, problem: string): RingstrasseError {
  return new RingstrasseError({ code: "PROTOCOL_VIOLATION", from: `worker ${workerId}`, problem });
}
