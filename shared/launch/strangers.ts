import type { Socket } from "node:net";

/** Beside the ranks themselves, which may all come at once. */
const OTHERS = 64;

/**
 * The connections of those who have not shown yet that they belong to the run. There are only so many of them: for one more the oldest has
 * to go, which is no rank, since a rank shows at once who it is.
 */
export class Strangers implements Disposable {
  readonly #limit: number;
  readonly #sockets = new Set<Socket>();

  /** @param worldSize of the run */
  constructor(worldSize: number) {
    this.#limit = worldSize + OTHERS;
  }

  add(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    const [oldest] = this.#sockets;
    if (this.#sockets.size <= this.#limit || oldest === undefined) return;
    this.#sockets.delete(oldest);
    oldest.destroy();
  }

  /** It is none any more. */
  admit(socket: Socket): void {
    this.#sockets.delete(socket);
  }

  /** Hangs up on all of them. */
  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
