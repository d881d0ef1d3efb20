import { constants } from "node:os";
import { isIpv6Endpoint } from "../../shared/transport/host-address.js";
import { freshLinkKeys, type LinkKeys } from "../../shared/transport/link-keys.js";
import { ConnectionMonitor } from "./connection-monitor.js";
import { type Bytes, type Handle, type Libzmq, MESSAGE_BYTES, POLL_ITEM_BYTES } from "./libzmq.js";

const TYPES = { pull: 7, push: 8 } as const;
const DONT_WAIT = 1;
const SEND_MORE = 2;
const POLL_IN = 1;
const LAST_ENDPOINT = 32;
const MAX_MESSAGE_SIZE = 22;
const IPV6 = 42;
const CURVE = { server: 47, publicKey: 48, secretKey: 49, serverKey: 50 } as const;
/**
 * As on the project's other links (shared/transport/zeromq-sockets.ts): closing never waits, nothing is dropped or blocked by a mark,
 * vanished hosts are found by keepalive.
 */
const OPTIONS = {
  linger: [17, 0],
  reconnectIntervalMs: [18, 100],
  reconnectMaxIntervalMs: [21, 2000],
  sendHighWaterMark: [23, 0],
  receiveHighWaterMark: [24, 0],
  tcpKeepalive: [34, 1],
  tcpKeepaliveCount: [35, 6],
  tcpKeepaliveIdleSeconds: [36, 30],
  tcpKeepaliveIntervalSeconds: [37, 10],
  handshakeIntervalMs: [66, 30_000],
} as const;
/** A stranger's length field must not allocate memory at will. */
const LARGEST_MESSAGE_BYTES = 2n ** 30n;
/** Up to here a copy costs less than keeping track of where the bytes lie. */
const COPIED_BYTES = 4096;
const ENDPOINT_BYTES = 1024;
/** What of the system's socket holds that the peer has not read yet. */
const SEND_BUFFER = { level: 1, option: 7, sizeBytes: 4 * 1024 * 1024 } as const;

/** The system's name of an error, e.g. `EADDRINUSE`, as `code`. */
export class LibzmqError extends Error {
  readonly code: string;

  constructor(lib: Libzmq, does: string) {
    const number = lib.errno();
    super(`${does}: ${lib.describe(number)}`);
    const known = Object.entries(constants.errno).find(([, value]) => value === number);
    this.code = known?.[0] ?? `errno ${number}`;
  }
}

export interface ReceivedPart {
  readonly sizeBytes: number;
  readonly hasMore: boolean;
}

/**
 * One socket in a context of its own, used by one thread: ZeroMQ has one thread for each context, and with one for what comes and one for
 * what goes a ring is a fifth faster. Calls never wait, but for {@link LibzmqSocket.waitForInput}.
 */
export class LibzmqSocket implements Disposable {
  readonly #lib: Libzmq;
  readonly #context: Handle;
  readonly #socket: Handle;
  readonly #incoming = new Uint8Array(MESSAGE_BYTES);
  readonly #outgoing = new Uint8Array(MESSAGE_BYTES);
  readonly #poll = new Uint8Array(POLL_ITEM_BYTES);
  /** The shared memory that messages are read from after `send` has returned: it must not be collected. */
  readonly #sentFrom = new Set<SharedArrayBuffer>();
  /** Null: the system's socket has the buffer that it should have, or never will. */
  #monitor: ConnectionMonitor | null = null;
  #isClosed = false;

  /** @throws LibzmqError when the system has no more sockets or threads */
  constructor(lib: Libzmq, type: keyof typeof TYPES) {
    const context = lib.newContext();
    const socket = lib.socket(context, TYPES[type]);
    this.#lib = lib;
    this.#context = context;
    this.#socket = socket;
    if (socket === null) {
      const failure = new LibzmqError(lib, "a socket could not be opened");
      lib.endContext(context);
      throw failure;
    }
    for (const [option, value] of Object.values(OPTIONS)) this.#set(option, Int32Array.of(value));
    this.#set(MAX_MESSAGE_SIZE, BigInt64Array.of(LARGEST_MESSAGE_BYTES));
    lib.initEmptyMessage(this.#incoming);
    const item = new DataView(this.#poll.buffer);
    item.setBigUint64(0, lib.addressOf(socket), true);
    item.setInt16(12, POLL_IN, true);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * @param keys links are encrypted, and only whoever knows the public one gets one; null: neither
   * @returns the endpoint, with the real port @throws LibzmqError
   */
  bind(endpoint: string, keys: LinkKeys | null): string {
    if (keys !== null) {
      this.#set(CURVE.server, Int32Array.of(1));
      this.#set(CURVE.secretKey, keyOption(keys.secretKey));
    }
    this.#set(IPV6, Int32Array.of(isIpv6Endpoint(endpoint) ? 1 : 0));
    this.#check(this.#lib.bind(this.#socket, endpoint), "bind");
    const text = Buffer.alloc(ENDPOINT_BYTES);
    this.#check(
      this.#lib.getOption(this.#socket, LAST_ENDPOINT, text, BigUint64Array.of(BigInt(ENDPOINT_BYTES))),
      "bind",
    );
    return text.toString("utf8", 0, text.indexOf(0));
  }

  /**
   * @param serverKey public key of whoever listens there; null: the link is not encrypted
   * @throws LibzmqError for a malformed endpoint
   */
  connect(endpoint: string, serverKey: string | null): void {
    if (serverKey !== null) {
      const { publicKey, secretKey } = freshLinkKeys();
      this.#set(CURVE.publicKey, keyOption(publicKey));
      this.#set(CURVE.secretKey, keyOption(secretKey));
      this.#set(CURVE.serverKey, keyOption(serverKey));
    }
    this.#set(IPV6, Int32Array.of(isIpv6Endpoint(endpoint) ? 1 : 0));
    if (endpoint.startsWith("ipc:")) this.#monitor = ConnectionMonitor.open(this.#lib, this.#context, this.#socket);
    this.#check(this.#lib.connect(this.#socket, endpoint), "connect");
  }

  /**
   * One part of a message. More than 4 KB of shared memory, where arenas lie, are sent from their place; everything else is copied, since nobody
   * would tell when it may be collected.
   * @throws LibzmqError
   */
  send(part: Uint8Array, isLast: boolean): void {
    if (this.#monitor !== null) this.#widen(this.#monitor);
    const flags = isLast ? DONT_WAIT : DONT_WAIT | SEND_MORE;
    if (part.byteLength <= COPIED_BYTES || !(part.buffer instanceof SharedArrayBuffer)) {
      this.#check(this.#lib.send(this.#socket, part, part.byteLength, flags), "send");
      return;
    }
    this.#sentFrom.add(part.buffer);
    this.#check(this.#lib.initMessage(this.#outgoing, part, part.byteLength, null, null), "send");
    this.#check(this.#lib.sendMessage(this.#outgoing, this.#socket, flags), "send");
  }

  /**
   * Takes the next part; {@link copyReceived} copies it.
   * @returns its size, and whether another part of the same message follows; null: none is there yet @throws LibzmqError
   */
  receive(): ReceivedPart | null {
    const sizeBytes = this.#lib.receiveMessage(this.#incoming, this.#socket, DONT_WAIT);
    if (sizeBytes < 0) {
      const { EAGAIN, EINTR } = constants.errno;
      const number = this.#lib.errno();
      if (number === EAGAIN || number === EINTR) return null;
      throw new LibzmqError(this.#lib, "receive");
    }
    return { sizeBytes, hasMore: this.#lib.hasMore(this.#incoming) !== 0 };
  }

  /** The first bytes of the part that was received last, as many as `into` has. */
  copyReceived(into: Uint8Array): void {
    if (into.byteLength > 0) this.#lib.copy(into, this.#lib.dataOf(this.#incoming), into.byteLength);
  }

  /** Blocks the thread until something can be received, or for a while. */
  waitForInput(milliseconds: number): void {
    this.#lib.poll(this.#poll, 1, milliseconds);
  }

  /** Closes, drops what has not left, and returns when nothing reads sent memory any more. Idempotent. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#monitor?.[Symbol.dispose]();
    this.#lib.closeMessage(this.#incoming);
    this.#lib.close(this.#socket);
    this.#lib.endContext(this.#context);
    this.#sentFrom.clear();
  }

  /**
   * A socket file's connection holds 200 KB, and then whoever sends waits until the peer's thread gets its turn; tcp's grows to megabytes by
   * itself. ZeroMQ's own option, ZMQ_SNDBUF, means tcp alone. The system gives what it allows (net.core.wmem_max).
   */
  #widen(monitor: ConnectionMonitor): void {
    const fd = monitor.take();
    if (fd === null) return;
    const { level, option, sizeBytes } = SEND_BUFFER;
    // A connection that is gone already is not worth a failure: its successor is as fast as it was made.
    this.#lib.setSystemOption(fd, level, option, Int32Array.of(sizeBytes), Int32Array.BYTES_PER_ELEMENT);
    monitor[Symbol.dispose]();
    this.#monitor = null;
  }

  #set(option: number, value: Bytes): void {
    this.#check(this.#lib.setOption(this.#socket, option, value, value.byteLength), `option ${option}`);
  }

  #check(result: number, does: string): void {
    if (result < 0) throw new LibzmqError(this.#lib, does);
  }
}

/** As text with its end, which is one of the three forms that the library tells apart by their sizes. */
function keyOption(key: string): Uint8Array {
  return Buffer.from(`${key}\0`, "latin1");
}
