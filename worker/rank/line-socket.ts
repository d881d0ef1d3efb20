import type { Socket } from "node:net";
import { deferred } from "../../shared/deferred.js";

/** No message of a rendezvous is longer; who sends more is no part of one. */
const LONGEST_LINE_BYTES = 16 * 1024;

/** A socket as JSON messages, one per line. One reader at a time. */
export class LineSocket implements Disposable {
  readonly #socket: Socket;
  readonly #lines: string[] = [];
  readonly #closed = deferred<never>();
  #rest = "";
  #arrived = deferred<void>();

  /** @param socket from now on this object's, which ends it */
  constructor(socket: Socket) {
    this.#socket = socket;
    let why = new Error("it hung up");
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => this.#take(text));
    socket.on("error", (error) => {
      why = error;
    });
    socket.once("close", () => this.#closed.reject(why));
  }

  /** The next message, not checked. @throws the signal's reason, the socket's error when it ends, SyntaxError */
  async next(signal: AbortSignal): Promise<unknown> {
    signal.throwIfAborted();
    const aborted = deferred<never>();
    const abort = (): void => aborted.reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      for (;;) {
        const line = this.#lines.shift();
        if (line !== undefined) return JSON.parse(line);
        this.#arrived = deferred();
        await Promise.race([this.#arrived.promise, this.#closed.promise, aborted.promise]);
      }
    } finally {
      signal.removeEventListener("abort", abort);
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

  #take(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    this.#lines.push(...lines);
    if (this.#rest.length > LONGEST_LINE_BYTES || this.#lines.length > 8) {
      this.#socket.destroy(new Error("it says too much"));
    }
    this.#arrived.resolve();
  }
}
