import type { RingstrasseError } from "../../shared/failure.js";
import { PullSocket, PushSocket } from "../../shared/transport/zeromq-sockets.js";
import { linkClosed, noFrame } from "./link-failure.js";
import type { RingFrame } from "./ring-transport.js";
import type { StarTransport } from "./star-transport.js";
import { unlessAborted } from "./unless-aborted.js";

/**
 * A star over ZeroMQ, `tcp` between hosts or `ipc` within one: one PULL for all that comes, taken from the senders by turns, and a PUSH to
 * each peer. A frame is a message of two parts, header and payload; payloads over 128 bytes are sent from where they lie.
 *
 * Disposing discards what is still queued, but returns before ZeroMQ has let go of it: payloads must stay allocated, and see
 * zeromq-sockets.ts for threads.
 */
export class ZeromqStarTransport implements StarTransport {
  readonly endpoint: string;
  readonly #incoming: PullSocket;
  /** By rank. */
  readonly #outgoing = new Map<number, PushSocket>();
  #next: Promise<Buffer[] | null> | null = null;
  #failure: RingstrasseError | null = null;

  private constructor(incoming: PullSocket) {
    this.#incoming = incoming;
    this.endpoint = incoming.endpoint;
  }

  /**
   * @param endpoint `tcp://HOST:0` takes a free port, `ipc://PATH` a socket file, removed at the end.
   * @throws RingstrasseError ENDPOINT_UNAVAILABLE
   */
  static async bind(endpoint: string): Promise<ZeromqStarTransport> {
    return new ZeromqStarTransport(await PullSocket.bind(endpoint));
  }

  connect(rank: number, endpoint: string): void {
    if (this.#outgoing.has(rank)) throw new RangeError(`rank ${rank} is connected already`);
    const socket = new PushSocket((error) => this.#fail(error));
    this.#outgoing.set(rank, socket);
    socket.connect(endpoint);
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
  async receive(signal: AbortSignal): Promise<RingFrame> {
    // Kept over an abort: the socket allows one receive at a time, and its message must not be lost.
    this.#next ??= this.#incoming.receive();
    const message = await unlessAborted(this.#next, signal);
    this.#next = null;
    if (message === null) throw this.#failure ?? linkClosed(this.endpoint);
    const [header, payload, ...more] = message;
    if (header === undefined || payload === undefined || more.length > 0) throw noFrame(message.length, this.endpoint);
    return { header, payload };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#outgoing.values()) await socket.close();
    this.#incoming.close();
  }

  /** An end that can't send is of no use: ending `receive` tells the reader, who is the one that waits. */
  #fail(error: RingstrasseError): void {
    this.#failure ??= error;
    this.#incoming.close();
  }
}
