import { keysAt, type LinkKeys } from "../../shared/transport/link-keys.js";
import { PushSocket } from "../../shared/transport/zeromq-sockets.js";
import type { RingFrame } from "./ring-transport.js";
import type { StarTransport } from "./star-transport.js";
import { ZeromqInbox } from "./zeromq-inbox.js";

/**
 * A star over ZeroMQ, `tcp` between hosts or `ipc` within one: one PULL for all that comes, taken from the senders by turns, and a PUSH to
 * each peer. A frame is a message of two parts, header and payload; payloads over 128 bytes are sent from where they lie.
 *
 * Disposing discards what is still queued, but returns before ZeroMQ has let go of it: payloads must stay allocated, and see
 * zeromq-sockets.ts for threads.
 */
export class ZeromqStarTransport implements StarTransport {
  readonly #inbox: ZeromqInbox;
  readonly #keys: LinkKeys | null;
  /** By rank. */
  readonly #outgoing = new Map<number, PushSocket>();

  private constructor(inbox: ZeromqInbox, keys: LinkKeys | null) {
    this.#inbox = inbox;
    this.#keys = keys;
  }

  /**
   * @param endpoint `tcp://HOST:0` takes a free port, `ipc://PATH` a socket file, removed at the end.
   * @param keys of links over tcp; null: they are not encrypted
   * @throws RingstrasseError ENDPOINT_UNAVAILABLE
   */
  static async bind(endpoint: string, keys: LinkKeys | null = null): Promise<ZeromqStarTransport> {
    return new ZeromqStarTransport(await ZeromqInbox.bind(endpoint, keys), keys);
  }

  get endpoint(): string {
    return this.#inbox.endpoint;
  }

  connect(rank: number, endpoint: string): void {
    if (this.#outgoing.has(rank)) throw new RangeError(`rank ${rank} is connected already`);
    const socket = new PushSocket((error) => this.#inbox.fail(error));
    this.#outgoing.set(rank, socket);
    socket.connect(endpoint, keysAt(endpoint, this.#keys)?.publicKey);
  }

  send(rank: number, { header, payload }: RingFrame): void {
    const socket = this.#outgoing.get(rank);
    if (socket === undefined) throw new RangeError(`send to rank ${rank} before connect`);
    socket.send([header, payload]);
  }

  /**
   * @throws RingstrasseError ENDPOINT_UNAVAILABLE when an earlier `send` failed or the transport was disposed of;
   * PROTOCOL_VIOLATION for a message that is no frame.
   */
  receive(signal: AbortSignal): Promise<RingFrame> {
    return this.#inbox.receive(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#outgoing.values()) await socket.close();
    this.#inbox[Symbol.dispose]();
  }
}
