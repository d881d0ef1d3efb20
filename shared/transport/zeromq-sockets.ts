import { Dealer, Pull, Push, Router, type Socket } from "zeromq";
import type { RingstrasseError } from "../failure.js";
import { isIpv6Endpoint } from "./host-address.js";
import { freshLinkKeys, type LinkKeys } from "./link-keys.js";
import { SendQueue } from "./send-queue.js";
import { unbindable, unconnectable, unsendable } from "./socket-failure.js";

/*
 * Threads: load this file in one thread of a process only (a worker's communication thread). Messages that were sent without
 * copying are let go of by ZeroMQ some time after close(); when the thread ends, the binding waits for that, but only if no
 * other thread has loaded it too: else the process crashes with a corrupted heap (tried with zeromq 6.8.0). Close all
 * sockets before the thread ends in any case.
 */

/**
 * Alike on all sockets. `linger` 0: closing never waits, or the process could not exit. Keepalive finds peers whose host
 * vanished; it never gives up early on an overloaded one, since the kernel answers. The largest message keeps a stranger's
 * length field from allocating memory at will.
 */
const LINK = {
  linger: 0,
  tcpKeepalive: 1,
  tcpKeepaliveIdle: 30,
  tcpKeepaliveInterval: 10,
  tcpKeepaliveCount: 6,
  handshakeInterval: 30_000,
  reconnectInterval: 100,
  reconnectMaxInterval: 2_000,
  maxMessageSize: 2 ** 30,
} as const;
/** High-water marks off: a mark would block or drop; what may be under way is bounded by the protocols above. */
const OUTGOING = { sendHighWaterMark: 0 } as const;
const INCOMING = { receiveHighWaterMark: 0 } as const;

/** A client's events that tell of a server that it could not come to terms with, among others of its monitor. */
const FAILED_HANDSHAKE = /^handshake:error/;

/** Tells of a message that could not be sent. */
export type SendErrorHandler = (error: RingstrasseError) => void;

/** Sending end of a data link: messages leave in the order of the calls, over one connection. */
export class PushSocket implements AsyncDisposable {
  readonly #socket = new Push({ ...LINK, ...OUTGOING });
  readonly #queue: SendQueue<Uint8Array[]>;
  #endpoint = "not connected";

  constructor(onError: SendErrorHandler) {
    this.#queue = new SendQueue<Uint8Array[]>({
      send: (frames) => this.#socket.send(frames),
      onError: (error) => onError(unsendable(this.#endpoint, error)),
    });
  }

  /**
   * Returns at once; connects in the background, again and again. Once.
   * @param serverKey public key of whoever listens there, in Z85; null: the link is not encrypted
   * @throws RingstrasseError ENDPOINT_UNAVAILABLE when malformed
   */
  connect(endpoint: string, serverKey: string | null = null): void {
    Object.assign(this.#socket, curveClient(serverKey));
    connectSocket(this.#socket, endpoint);
    this.#endpoint = endpoint;
  }

  /**
   * Queues one message of several frames; returns at once. Frames of more than 128 bytes are not copied: they must not
   * change until the peer has received them.
   */
  send(frames: Uint8Array[]): void {
    this.#queue.push(frames);
  }

  /** Closes; messages not yet with the kernel get `lingerMs` more, in the background. Idempotent. */
  async close(lingerMs = 0): Promise<void> {
    await closeSocket(this.#socket, this.#queue, lingerMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Receiving end of a data link. One reader. */
export class PullSocket implements Disposable {
  /** As bound, with the real port. */
  readonly endpoint: string;
  readonly #socket: Pull;

  private constructor(socket: Pull, endpoint: string) {
    this.#socket = socket;
    this.endpoint = endpoint;
  }

  /**
   * @param endpoint e.g. `tcp://127.0.0.1:0`, `ipc:///path/of/socket`.
   * @param keys links are encrypted, and only whoever knows the public key gets one; null: neither
   * @throws RingstrasseError ENDPOINT_UNAVAILABLE
   */
  static async bind(endpoint: string, keys: LinkKeys | null = null): Promise<PullSocket> {
    const socket = new Pull({ ...LINK, ...INCOMING, ...curveServer(keys) });
    return new PullSocket(socket, await bindSocket(socket, endpoint));
  }

  /** The next message, null once closed. One call at a time. */
  async receive(): Promise<Buffer[] | null> {
    return await receiveFrom(this.#socket);
  }

  /** Ends a `receive` under way. Idempotent. */
  close(): void {
    this.#socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

export interface RoutedMessage {
  /** The dealer's routing id. */
  readonly identity: Buffer;
  readonly frames: Buffer[];
}

/** Server end of control links: many dealers, each with a routing id. One reader. */
export class RouterSocket implements AsyncDisposable, AsyncIterable<RoutedMessage> {
  /** As bound, with the real port. */
  readonly endpoint: string;
  readonly #socket: Router;
  readonly #queue: SendQueue<Uint8Array[]>;

  private constructor(socket: Router, endpoint: string, onError: (error: RingstrasseError, identity: Buffer) => void) {
    this.#socket = socket;
    this.endpoint = endpoint;
    this.#queue = new SendQueue<Uint8Array[]>({
      send: (frames) => socket.send(frames),
      onError: (error, [identity]) => {
        const to = Buffer.from(identity ?? []);
        onError(unsendable(`peer ${to.toString()} of ${endpoint}`, error), to);
      },
    });
  }

  /**
   * @param endpoint e.g. `tcp://0.0.0.0:8081`; port 0 takes a free one.
   * @param onError told of every message that could not be sent, e.g. to a peer that has gone; the others are sent.
   * @param keys links are encrypted, and only whoever knows the public key gets one; null: neither
   * @throws RingstrasseError ENDPOINT_UNAVAILABLE
   */
  static async bind(
    endpoint: string,
    onError: (error: RingstrasseError, identity: Buffer) => void,
    keys: LinkKeys | null = null,
  ): Promise<RouterSocket> {
    // Handover: a dealer that comes back takes over from its own connection that the kernel still thinks alive. No waiting: with
    // nobody connected a mandatory router is never ready to send, and a message to the last peer, dead, would wait for ever.
    const behaviour = { mandatory: true, handover: true, sendTimeout: 0 };
    const socket = new Router({ ...LINK, ...OUTGOING, ...INCOMING, ...behaviour, ...curveServer(keys) });
    return new RouterSocket(socket, await bindSocket(socket, endpoint), onError);
  }

  /** Queues a message; returns at once. Frames of more than 128 bytes are not copied. */
  send(identity: Buffer, frames: readonly Uint8Array[]): void {
    this.#queue.push([identity, ...frames]);
  }

  /** Messages in the order of arrival; ends once closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<RoutedMessage, void> {
    for (;;) {
      const message = await receiveFrom(this.#socket);
      if (message === null) return;
      const [identity, ...frames] = message;
      if (identity !== undefined) yield { identity, frames };
    }
  }

  /** Closes; with `lingerMs` messages sent just before still get that long to leave, in the background. Idempotent. */
  async close(lingerMs = 0): Promise<void> {
    await closeSocket(this.#socket, this.#queue, lingerMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

export interface DealerOptions {
  /** The server's public key, in Z85; null: the link is not encrypted. */
  readonly serverKey: string | null;
  /** Told of every handshake that failed: the server does not have that key, or has another protocol, or went away. */
  readonly onHandshakeFailed: () => void;
  /** Told of the first one that succeeded. */
  readonly onHandshake: () => void;
}

/** Client end of a control link. One reader. */
export class DealerSocket implements AsyncDisposable, AsyncIterable<Buffer[]> {
  readonly #socket: Dealer;
  readonly #queue: SendQueue<Uint8Array[]>;
  #endpoint = "not connected";

  /** @param routingId 1 to 255 characters; what the router knows this end by. */
  constructor(routingId: string, onError: SendErrorHandler, options: DealerOptions | null = null) {
    this.#socket = new Dealer({
      ...LINK,
      ...OUTGOING,
      ...INCOMING,
      routingId,
      ...curveClient(options?.serverKey ?? null),
    });
    if (options !== null) void watchHandshakes(this.#socket, options);
    this.#queue = new SendQueue<Uint8Array[]>({
      send: (frames) => this.#socket.send(frames),
      onError: (error) => onError(unsendable(this.#endpoint, error)),
    });
  }

  /** Returns at once; connects in the background, again and again. @throws RingstrasseError ENDPOINT_UNAVAILABLE when malformed */
  connect(endpoint: string): void {
    connectSocket(this.#socket, endpoint);
    this.#endpoint = endpoint;
  }

  /** Queues a message; returns at once. Frames of more than 128 bytes are not copied. */
  send(frames: Uint8Array[]): void {
    this.#queue.push(frames);
  }

  /** Messages in the order of arrival; ends once closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer[], void> {
    for (;;) {
      const frames = await receiveFrom(this.#socket);
      if (frames === null) return;
      yield frames;
    }
  }

  /** Closes; with `lingerMs` messages sent just before still get that long to leave, in the background. Idempotent. */
  async close(lingerMs = 0): Promise<void> {
    await closeSocket(this.#socket, this.#queue, lingerMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function curveServer(keys: LinkKeys | null): { readonly curveServer?: true; readonly curveSecretKey?: string } {
  return keys === null ? {} : { curveServer: true, curveSecretKey: keys.secretKey };
}

/** A pair of keys of its own for every socket: the server knows clients by the token that they show, not by their keys. */
function curveClient(
  curveServerKey: string | null,
): Partial<Record<"curvePublicKey" | "curveSecretKey" | "curveServerKey", string>> {
  if (curveServerKey === null) return {};
  const { publicKey, secretKey } = freshLinkKeys();
  return { curvePublicKey: publicKey, curveSecretKey: secretKey, curveServerKey };
}

async function watchHandshakes(socket: Dealer, { onHandshake, onHandshakeFailed }: DealerOptions): Promise<void> {
  for await (const { type } of socket.events) {
    if (type === "handshake") return onHandshake();
    if (FAILED_HANDSHAKE.test(type)) onHandshakeFailed();
  }
}

async function bindSocket(socket: Pull | Router, endpoint: string): Promise<string> {
  try {
    socket.ipv6 = isIpv6Endpoint(endpoint);
    await socket.bind(endpoint);
  } catch (cause) {
    socket.close();
    throw unbindable(endpoint, cause);
  }
  return socket.lastEndpoint ?? endpoint;
}

function connectSocket(socket: Push | Dealer, endpoint: string): void {
  try {
    socket.ipv6 = isIpv6Endpoint(endpoint);
    socket.connect(endpoint);
  } catch (cause) {
    throw unconnectable(endpoint, cause);
  }
}

async function receiveFrom(socket: Pull | Router | Dealer): Promise<Buffer[] | null> {
  if (socket.closed) return null;
  try {
    return await socket.receive();
  } catch (error) {
    // Closing rejects a receive under way: the regular end of the stream.
    if (socket.closed) return null;
    throw error;
  }
}

async function closeSocket(socket: Socket, queue: SendQueue<Uint8Array[]>, lingerMs: number): Promise<void> {
  if (lingerMs > 0 && !socket.closed) {
    await queue.idle();
    socket.linger = lingerMs;
  }
  queue.close();
  socket.close();
}
