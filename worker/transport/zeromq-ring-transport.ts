import { keysAt, type LinkKeys } from "../../shared/transport/link-keys.js";
import { PushSocket } from "../../shared/transport/zeromq-sockets.js";
import type { RingFrame, RingTransport } from "./ring-transport.js";
import { ZeromqInbox } from "./zeromq-inbox.js";

/**
 * Ring link over ZeroMQ, `tcp` between hosts or `ipc` within one: PULL from the previous worker, PUSH to the next. A frame
 * is a message of two parts, header and payload; payloads over 128 bytes are sent from where they lie.
 *
 * Disposing discards what is still queued, but returns before ZeroMQ has let go of it: payloads must stay allocated, and see
 * zeromq-sockets.ts for threads.
 */
export class ZeromqRingTransport implements RingTransport {
  readonly #inbox: ZeromqInbox;
  readonly #keys: LinkKeys | null;
  readonly #outgoing: PushSocket;

  private constructor(inbox: ZeromqInbox, keys: LinkKeys | null) {
    this.#inbox = inbox;
    this.#keys = keys;
    this.#outgoing = new PushSocket((error) => inbox.fail(error));
  }

  /**
   * @param endpoint `tcp://HOST:0` takes a free port, `ipc://PATH` a socket file, removed at the end.
   * @param keys of links over tcp; null: they are not encrypted
   * @throws RingstrasseError ENDPOINT_UNAVAILABLE
   */
  static async bind(endpoint: string, keys: LinkKeys | null = null): Promise<ZeromqRingTransport> {
    return new ZeromqRingTransport(await ZeromqInbox.bind(endpoint, keys), keys);
  }

  get endpoint(): string {
    return this.#inbox.endpoint;
  }

  /** @throws RingstrasseError ENDPOINT_UNAVAILABLE when `next` is not an address. */
  connect(next: string): void {
    this.#outgoing.connect(next, keysAt(next, this.#keys)?.publicKey);
  }

  send({ header, payload }: RingFrame): void {
    this.#outgoing.send([header, payload]);
  }

  /**
   * @throws RingstrasseError ENDPOINT_UNAVAILABLE when an earlier `send` failed or the transport was disposed of;
   * PROTOCOL_VIOLATION for a message that is no frame.
   */
  receive(signal: AbortSignal): Promise<RingFrame> {
    return this.#inbox.receive(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#outgoing.close();
    this.#inbox[Symbol.dispose]();
  }
}
