import { type Handle, type Libzmq, MESSAGE_BYTES } from "./libzmq.js";

const PAIR = 0;
const CONNECTED = 1;
const DONT_WAIT = 1;
const EVENT_BYTES = 6;
const ENDPOINT = "inproc://connections";

/**
 * Tells the system's socket of a ZeroMQ socket's first connection, which ZeroMQ makes in a thread of its own, some time after `connect`.
 * For the thread that uses the ZeroMQ socket.
 */
export class ConnectionMonitor implements Disposable {
  readonly #lib: Libzmq;
  readonly #observed: Handle;
  readonly #events: Handle;
  readonly #message = new Uint8Array(MESSAGE_BYTES);
  #isClosed = false;

  /** Null: the library has no room for it. @param socket in `context`, before it is told to connect */
  static open(lib: Libzmq, context: Handle, socket: Handle): ConnectionMonitor | null {
    if (lib.monitor(socket, ENDPOINT, CONNECTED) < 0) return null;
    const events = lib.socket(context, PAIR);
    if (events === null) {
      stopTelling(lib, socket);
      return null;
    }
    const monitor = new ConnectionMonitor(lib, socket, events);
    if (lib.connect(events, ENDPOINT) >= 0) return monitor;
    monitor[Symbol.dispose]();
    return null;
  }

  private constructor(lib: Libzmq, observed: Handle, events: Handle) {
    this.#lib = lib;
    this.#observed = observed;
    this.#events = events;
    lib.initEmptyMessage(this.#message);
  }

  /** The file descriptor; null: there is no connection yet. Never waits. */
  take(): number | null {
    // Two parts: which event and its value, then the endpoint.
    if (this.#lib.receiveMessage(this.#message, this.#events, DONT_WAIT) !== EVENT_BYTES) return null;
    const event = Buffer.alloc(EVENT_BYTES);
    this.#lib.copy(event, this.#lib.dataOf(this.#message), EVENT_BYTES);
    return event.readInt32LE(2);
  }

  /** Before the sockets' context ends. Idempotent. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    stopTelling(this.#lib, this.#observed);
    this.#lib.closeMessage(this.#message);
    this.#lib.close(this.#events);
  }
}

/** Before nobody reads any more: ZeroMQ's thread would wait for ever to tell of a connection, and whoever closes the socket for that thread. */
function stopTelling(lib: Libzmq, socket: Handle): void {
  lib.monitor(socket, null, 0);
}
