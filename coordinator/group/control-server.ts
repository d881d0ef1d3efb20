import { createHash, timingSafeEqual } from "node:crypto";
import { describeFailure } from "../../shared/describe-failure.js";
import { type Failure, RingstrasseError, toFailure } from "../../shared/failure.js";
import type { Logger } from "../../shared/logger.js";
import { decodeFromWorker, MessageEncoder } from "../../shared/protocol/codec.js";
import type { CoordinatorBody, FromWorker } from "../../shared/protocol/control-message.js";
import { SequenceCheck } from "../../shared/protocol/sequence-check.js";
import { isOnNetwork, linkKeysOf } from "../../shared/transport/link-keys.js";
import { RouterSocket } from "../../shared/transport/zeromq-sockets.js";

/** Time for the last messages to leave when the server closes. */
const FAREWELL_MS = 1000;

export type JoinMessage = Extract<FromWorker, { kind: "join" }>;

export interface ControlHandlers {
  /**
   * A worker with the right token and a name of its own; it can be sent to from here on. @returns a failure to refuse it with, or null
   * to let it in.
   */
  joined(message: JoinMessage): Failure | null;
  /** Any other message of a worker that was let in. */
  received(workerId: string, message: FromWorker): void;
  /** A worker that was let in sends what can't be understood, or can't be reached any more. */
  troubled(workerId: string, failure: Failure): void;
}

/** A worker that was let in. */
interface Peer {
  readonly workerId: string;
  readonly identity: Buffer;
  readonly encoder: MessageEncoder;
  /** Of what it sends. */
  readonly sequence: SequenceCheck;
}

/**
 * The coordinator's end of all control links. Over tcp they are encrypted, and whoever does not know the run's token gets none (see
 * link-keys.ts); nobody is heard before a `join` with the token. Links are told apart by their
 * routing identities, which every link makes up at random: a stranger who knows a worker's id can't take its place.
 */
export class ControlServer implements AsyncDisposable {
  readonly #socket: RouterSocket;
  readonly #tokenHash: Buffer;
  readonly #log: Logger;
  /** By worker id. */
  readonly #peers = new Map<string, Peer>();
  /** By {@link linkOf}. */
  readonly #links = new Map<string, Peer>();
  #reading: Promise<void> = Promise.resolve();

  private constructor(socket: RouterSocket, token: string, log: Logger) {
    this.#socket = socket;
    this.#tokenHash = digest(token);
    this.#log = log;
  }

  /** @throws RingstrasseError ENDPOINT_UNAVAILABLE */
  static async open(endpoint: string, token: string, log: Logger): Promise<ControlServer> {
    const undelivered = (error: RingstrasseError, identity: Buffer): void => {
      // Telling a dead worker that the job is over fails, and should.
      log.debug({ err: error, link: linkOf(identity) }, "message not delivered");
    };
    const socket = await RouterSocket.bind(
      endpoint,
      undelivered,
      isOnNetwork(endpoint) ? linkKeysOf(token, "control") : null,
    );
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
    const peer = this.#peers.get(workerId);
    if (peer === undefined) throw new Error(`worker ${workerId} has not joined`);
    this.#socket.send(peer.identity, [peer.encoder.encode(body)]);
  }

  /** Its name is free again; whatever else its link sends is refused. */
  forget(workerId: string): void {
    const peer = this.#peers.get(workerId);
    if (peer === undefined) return;
    this.#peers.delete(workerId);
    this.#links.delete(linkOf(peer.identity));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#socket.close(FAREWELL_MS);
    await this.#reading;
  }

  async #read(handlers: ControlHandlers): Promise<void> {
    for await (const { identity, frames } of this.#socket) {
      const peer = this.#links.get(linkOf(identity));
      const from = peer === undefined ? "a stranger" : `worker ${peer.workerId}`;
      try {
        const message = decodeFromWorker(frames[0] ?? new Uint8Array(), from);
        if (message.kind === "join") this.#onJoin(handlers, identity, message);
        else if (peer === undefined) throw violation(from, `it sent ${message.kind} before join`);
        else {
          peer.sequence.check(message);
          handlers.received(peer.workerId, message);
        }
      } catch (thrown) {
        const failure = toFailure(thrown);
        this.#log.debug({ err: thrown, from }, "bad control message");
        if (peer === undefined) this.#refuse(identity, failure);
        else handlers.troubled(peer.workerId, failure);
      }
    }
  }

  #onJoin(handlers: ControlHandlers, identity: Buffer, message: JoinMessage): void {
    if (this.#links.has(linkOf(identity))) throw violation(`worker ${message.workerId}`, "it joined twice");
    if (!this.#tokenIsRight(message.token)) return this.#refuse(identity, wrongToken(message));
    if (this.#peers.has(message.workerId)) return this.#refuse(identity, takenName(message));
    const { workerId } = message;
    const sequence = new SequenceCheck(`worker ${workerId}`, message.sequence + 1);
    const peer = { workerId, identity, encoder: new MessageEncoder(), sequence };
    this.#peers.set(message.workerId, peer);
    this.#links.set(linkOf(identity), peer);
    const refusal = handlers.joined(message);
    if (refusal === null) return;
    this.#peers.delete(message.workerId);
    this.#links.delete(linkOf(identity));
    this.#refuse(identity, refusal);
  }

  #refuse(identity: Buffer, failure: Failure): void {
    this.#log.warn({ failure }, `refused: ${describeFailure(failure)}`);
    this.#socket.send(identity, [new MessageEncoder().encode({ kind: "refused", failure })]);
  }

  #tokenIsRight(token: string): boolean {
    return timingSafeEqual(digest(token), this.#tokenHash);
  }
}

/** A key for a link; identities of strangers are any bytes. */
function linkOf(identity: Buffer): string {
  return identity.toString("hex");
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

function takenName(message: JoinMessage): Failure {
  return {
    code: "WORKER_REFUSED",
    workerId: message.workerId,
    host: message.host,
    what: "its name",
    expected: "one that no other worker of the job has",
    got: "taken",
    remedy: "Give every worker another --worker-id, or leave it out",
  };
}

function violation(from: string, problem: string): RingstrasseError {
  return new RingstrasseError({ code: "PROTOCOL_VIOLATION", from, problem });
}
