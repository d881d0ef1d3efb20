import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** Somebody on the way to an endpoint: passes on what it gets, both ways, and keeps a copy. */
export class RecordingRelay implements AsyncDisposable {
  readonly #server: Server;
  readonly #pieces: Buffer[] = [];
  readonly #sockets = new Set<Socket>();

  private constructor(port: number) {
    this.#server = createServer((client) => this.#relay(client, connect(port, "127.0.0.1")));
  }

  /** @param endpoint `tcp://127.0.0.1:PORT` */
  static async before(endpoint: string): Promise<RecordingRelay> {
    const relay = new RecordingRelay(Number(endpoint.slice(endpoint.lastIndexOf(":") + 1)));
    await new Promise<void>((resolve) => relay.#server.listen(0, "127.0.0.1", resolve));
    return relay;
  }

  get endpoint(): string {
    return `tcp://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** All bytes so far, of both directions. */
  recording(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #relay(client: Socket, server: Socket): void {
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.on("data", (bytes) => this.#pieces.push(bytes));
      from.on("error", () => to.destroy());
      from.pipe(to);
    }
  }
}
