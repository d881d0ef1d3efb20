import type { RingstrasseError } from "../../shared/failure.js";
import { PullSocket, PushSocket } from "../../shared/transport/zeromq-sockets.js";
import { linkClosed, noFrame } from "./link-failure.js";
import type { RingFrame, RingTransport } from "./ring-transport.js";
import { unlessAborted } from "./unless-aborted.js";

/**
 * Ring link over ZeroMQ, `tcp` between hosts or `ipc` within one: PULL from the previous worker, PUSH to the next. A frame
 * is a message of two parts, header and payload; payloads over 128 bytes are sent from where they lie.
 *
 * Disposing discards what is still queued, but returns before ZeroMQ has let go of it: payloads must stay allocated, and see
 * zeromq-sockets.ts for threads.
 */
export class ZeromqRingTransport implements RingTransport {
  readonly endpoint: string;
  readonly #incoming: PullSocket;
  readonly #outgoing: PushSocket;
  #next: Promise<Buffer[] | null> | null = null;
  #failure: RingstrasseError | null = null;

  private constructor(incoming: PullSocket) {
    this.#incoming = incoming;
    this.endpoint = incoming.endpoint;
    this.#outgoing = new PushSocket((error) => this.#fail(error));
  }

  /**
   * @param endpoint `tcp://HOST:0` takes a free port, `ipc://PATH` a socket file, removed at the end.
   * @throws RingstrasseError ENDPOINT_UNAVAILABLE
   */
  static async bind(endpoint: string): Promise<ZeromqRingTransport> {
    return new ZeromqRingTransport(await PullSocket.bind(endpoint));
  }

  /** @throws RingstrasseError ENDPOINT_UNAVAILABLE when `next` is not an address. */
  connect(next: string): void {
    this.#outgoing.connect(next);
  }

  send({ header, payload }: RingFrame): void {
    this.#outgoing.send([header, payload]);
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
    await this.#outgoing.close();
    this.#incoming.close();
  }

  /** A link that can't send is of no use: ending `receive` tells the reader, who is the one that waits. */
  #fail(error: RingstrasseError): void {
    this.#failure ??= error;
    this.#incoming.close();
  }
}
