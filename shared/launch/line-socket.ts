import type { Socket } from "node:net";
import { deferred } from "../deferred.js";

/** So much may wait to be read, in characters; no message between ranks is longer, and who sends more is no rank. */
const MOST_WAITING = 16 * 1024;

/**
 * Quiet for so long, the other end is asked whether it is still there: a host that vanishes says nothing, and whoever only waits for its next
 * message would wait for ever. Then Node.js asks every second, ten times.
 */
const KEEPALIVE_MS = 30_000;

/** A socket as JSON messages, one per line. One reader at a time. */
export class LineSocket implements Disposable {
  readonly #socket: Socket;
  readonly #lines: string[] = [];
  readonly #closed = deferred<never>();
  #rest = "";
  #waiting = 0;
  #arrived = deferred<void>();

  /** @param socket from now on this object's, which ends it */
  constructor(socket: Socket) {
    this.#socket = socket;
    let why = new Error("it hung up");
    // Of unix sockets, whose ends can't vanish alone, nothing.
    socket.setKeepAlive(true, KEEPALIVE_MS);
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => this.#take(text));
    socket.on("error", (error) => {
      why = error;
    });
    socket.once("close", () => this.#closed.reject(why));
  }

  /**
   * The next message, not checked.
   * @param signal null: whoever waits ends with the socket
   * @throws the signal's reason, the socket's error when it ends, Error when it says no JSON
   */
  async next(signal: AbortSignal | null): Promise<unknown> {
    signal?.throwIfAborted();
    const aborted = deferred<never>();
    const abort = (): void => aborted.reject(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      for (;;) {
        const line = this.#lines.shift();
        if (line !== undefined) return this.#read(line);
        this.#arrived = deferred();
        await Promise.race([this.#arrived.promise, this.#closed.promise, aborted.promise]);
      }
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /** To one that has hung up: nothing happens, {@link next} tells. */
  send(message: object): void {
    if (this.#socket.writable) this.#socket.write(`${JSON.stringify(message)}\n`);
  }

  /** What was sent still goes out. */
  end(): void {
    this.#socket.end();
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #read(line: string): unknown {
    this.#waiting -= line.length + 1;
    try {
      return JSON.parse(line);
    } catch (cause) {
      throw new Error("what it says is no JSON", { cause });
    }
  }

  #take(text: string): void {
    if (this.#socket.destroyed) return;
    this.#waiting += text.length;
    if (this.#waiting > MOST_WAITING) {
      this.#socket.destroy(new Error("it says too much"));
      return;
    }
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    this.#lines.push(...lines);
    this.#arrived.resolve();
  }
}
