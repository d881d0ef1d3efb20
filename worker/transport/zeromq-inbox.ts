import type { RingstrasseError } from "../../shared/failure.js";
import { keysAt, type LinkKeys } from "../../shared/transport/link-keys.js";
import { PullSocket } from "../../shared/transport/zeromq-sockets.js";
import { unlessAborted } from "../unless-aborted.js";
import { linkClosed, noFrame } from "./link-failure.js";
import type { RingFrame } from "./ring-transport.js";

/** What comes in at one end of a link over ZeroMQ, from whoever has connected to it: messages of two parts, header and payload. One reader. */
export class ZeromqInbox implements Disposable {
  /** As bound, with the real port. */
  readonly endpoint: string;
  readonly #socket: PullSocket;
  #next: Promise<Buffer[] | null> | null = null;
  #failure: RingstrasseError | null = null;

  private constructor(socket: PullSocket) {
    this.#socket = socket;
    this.endpoint = socket.endpoint;
  }

  /**
   * @param endpoint `tcp://HOST:0` takes a free port, `ipc://PATH` a socket file, removed at the end.
   * @param keys of links over tcp; null: they are not encrypted
   * @throws RingstrasseError ENDPOINT_UNAVAILABLE
   */
  static async bind(endpoint: string, keys: LinkKeys | null): Promise<ZeromqInbox> {
    return new ZeromqInbox(await PullSocket.bind(endpoint, keysAt(endpoint, keys)));
  }

  /**
   * The next frame. After an abort it may be called again, and no frame is lost by that.
   * @throws the signal's reason when aborted.
   * @throws RingstrasseError the reason of {@link fail}; ENDPOINT_UNAVAILABLE when disposed of; PROTOCOL_VIOLATION for a message that is
   * no frame.
   */
  async receive(signal: AbortSignal): Promise<RingFrame> {
    // Kept over an abort: the socket allows one receive at a time, and its message must not be lost.
    this.#next ??= this.#socket.receive();
    const message = await unlessAborted(this.#next, signal);
    this.#next = null;
    if (message === null) throw this.#failure ?? linkClosed(this.endpoint);
    const [header, payload, ...more] = message;
    if (header === undefined || payload === undefined || more.length > 0) throw noFrame(message.length, this.endpoint);
    return { header, payload };
  }

  /** A link that can't send is of no use: ending {@link receive} tells the reader, who is the one that waits. */
  fail(reason: RingstrasseError): void {
    this.#failure ??= reason;
    this.#socket.close();
  }

  /** Ends a `receive` under way. Idempotent. */
  [Symbol.dispose](): void {
    this.#socket.close();
  }
}
