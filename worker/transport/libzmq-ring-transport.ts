import { setImmediate as nextTurn } from "node:timers/promises";
import type { RingstrasseError } from "../../shared/failure.js";
import { keysAt, type LinkKeys } from "../../shared/transport/link-keys.js";
import { unbindable, unconnectable, unsendable } from "../../shared/transport/socket-failure.js";
import type { Libzmq } from "./libzmq.js";
import { LibzmqSocket } from "./libzmq-socket.js";
import { linkClosed, noFrame } from "./link-failure.js";
import type { Landing, RingFrame, RingTransport } from "./ring-transport.js";

/** How long the thread sleeps before it looks after its other sockets: short at first, since most waits are. */
const FIRST_SLEEP_MS = 1;
const LONGEST_SLEEP_MS = 8;
/** Payload handed out between two turns of the event loop, so that heartbeats stay on time. */
const BYTES_PER_TURN = 4 * 1024 * 1024;
const FIRST_LANDING_BYTES = 256 * 1024;

export interface LibzmqRingOptions {
  /** Default 8. 0: never sleeps, for several links in one thread. */
  readonly longestSleepMs?: number;
  /** Of links over tcp; default null: they are not encrypted. */
  readonly keys?: LinkKeys | null;
}

/**
 * Ring link over ZeroMQ, as {@link ZeromqRingTransport}, speaking the same protocol, but calling libzmq itself: messages are received into one
 * piece of memory that is used again and again, and payloads are sent from where they lie, so that a frame leaves nothing for the
 * garbage collector and costs no promise. It halves the processor time of an exchange (ADR 29).
 *
 * `receive` sleeps in the library, up to 8 ms at a time, and lets the event loop turn in between: for a thread that has nothing to do
 * meanwhile but heartbeats.
 */
export class LibzmqRingTransport implements RingTransport {
  readonly endpoint: string;
  readonly #incoming: LibzmqSocket;
  readonly #outgoing: LibzmqSocket;
  readonly #longestSleepMs: number;
  readonly #keys: LinkKeys | null;
  #next = "not connected";
  #header = Buffer.alloc(0);
  #landing = Buffer.allocUnsafeSlow(FIRST_LANDING_BYTES);
  #handedOutBytes = 0;
  #failure: RingstrasseError | null = null;

  /**
   * @param endpoint `tcp://HOST:0` takes a free port, `ipc://PATH` a socket file, removed at the end.
   * @throws RingstrasseError ENDPOINT_UNAVAILABLE
   */
  constructor(lib: Libzmq, endpoint: string, options: LibzmqRingOptions = {}) {
    const { longestSleepMs = LONGEST_SLEEP_MS, keys = null } = options;
    this.#longestSleepMs = longestSleepMs;
    this.#keys = keys;
    const opened: LibzmqSocket[] = [];
    try {
      this.#incoming = new LibzmqSocket(lib, "pull");
      opened.push(this.#incoming);
      this.#outgoing = new LibzmqSocket(lib, "push");
      opened.push(this.#outgoing);
      this.endpoint = this.#incoming.bind(endpoint, keysAt(endpoint, keys));
    } catch (cause) {
      for (const socket of opened) socket[Symbol.dispose]();
      throw unbindable(endpoint, cause);
    }
  }

  connect(next: string): void {
    try {
      this.#outgoing.connect(next, keysAt(next, this.#keys)?.publicKey ?? null);
      this.#next = next;
    } catch (cause) {
      throw unconnectable(next, cause);
    }
  }

  send({ header, payload }: RingFrame): void {
    if (this.#outgoing.isClosed) return;
    try {
      this.#outgoing.send(header, false);
      this.#outgoing.send(payload, true);
    } catch (cause) {
      // Told to the reader, who is the one that waits.
      this.#failure ??= unsendable(this.#next, cause);
    }
  }

  /** @throws RingstrasseError ENDPOINT_UNAVAILABLE, and PROTOCOL_VIOLATION for a message that is no frame */
  async receive(signal: AbortSignal, landing?: Landing): Promise<RingFrame> {
    for (let sleepMs = Math.min(FIRST_SLEEP_MS, this.#longestSleepMs); ; sleepMs = this.#longer(sleepMs)) {
      signal.throwIfAborted();
      if (this.#failure !== null) throw this.#failure;
      if (this.#incoming.isClosed) throw linkClosed(this.endpoint);
      const frame = this.#take(landing) ?? this.#takeAfter(sleepMs, landing);
      if (frame === null) {
        await nextTurn();
        continue;
      }
      await this.#turnNowAndThen(frame.payload.byteLength);
      return frame;
    }
  }

  /** Nothing reads what was sent any more when it returns. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#close();
    return Promise.resolve();
  }

  #takeAfter(sleepMs: number, landing?: Landing): RingFrame | null {
    this.#incoming.waitForInput(sleepMs);
    return this.#take(landing);
  }

  /** The next frame, if it is there. */
  #take(landing?: Landing): RingFrame | null {
    const first = this.#incoming.receive();
    if (first === null) return null;
    if (this.#header.byteLength !== first.sizeBytes) this.#header = Buffer.allocUnsafeSlow(first.sizeBytes);
    this.#incoming.copyReceived(this.#header);
    let parts = 1;
    let payload: Uint8Array = this.#landing.subarray(0, 0);
    // All parts of a message come at once.
    for (let { hasMore } = first; hasMore; parts++) {
      const part = this.#incoming.receive();
      if (part === null) throw new RangeError("ZeroMQ delivered a part of a message");
      if (parts === 1) payload = this.#land(part.sizeBytes, landing);
      hasMore = part.hasMore;
    }
    if (parts !== 2) throw noFrame(parts, this.endpoint);
    return { header: this.#header, payload };
  }

  #land(sizeBytes: number, landing?: Landing): Uint8Array {
    const payload = landing?.(this.#header, sizeBytes) ?? this.#ownLanding(sizeBytes);
    this.#incoming.copyReceived(payload);
    return payload;
  }

  #ownLanding(sizeBytes: number): Uint8Array {
    if (sizeBytes > this.#landing.byteLength) this.#landing = Buffer.allocUnsafeSlow(sizeBytes);
    return this.#landing.subarray(0, sizeBytes);
  }

  #longer(sleepMs: number): number {
    return Math.min(this.#longestSleepMs, sleepMs * 2);
  }

  async #turnNowAndThen(bytes: number): Promise<void> {
    this.#handedOutBytes += bytes;
    if (this.#handedOutBytes < BYTES_PER_TURN) return;
    this.#handedOutBytes = 0;
    await nextTurn();
  }

  #close(): void {
    this.#outgoing[Symbol.dispose]();
    this.#incoming[Symbol.dispose]();
  }
}
