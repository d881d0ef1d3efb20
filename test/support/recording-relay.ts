import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** What becomes of a piece on its way; a piece is what one end wrote at once, as long as it awaits an answer to it. */
export type Meddling = (piece: Buffer, from: "client" | "server") => Buffer;

/** Somebody on the way to an endpoint: passes on what it gets, both ways, and keeps a copy. */
export class RecordingRelay implements AsyncDisposable {
  readonly #server: Server;
  readonly #pieces: { readonly from: "client" | "server"; readonly bytes: Buffer }[] = [];
  readonly #meddling: Meddling;
  readonly #sockets = new Set<Socket>();

  private constructor(port: number, meddling: Meddling) {
    this.#meddling = meddling;
    this.#server = createServer((client) => this.#relay(client, connect(port, "127.0.0.1")));
  }

  /** @param endpoint `tcp://127.0.0.1:PORT`. @param meddling none: everything goes on as it came */
  static async before(endpoint: string, meddling: Meddling = (piece) => piece): Promise<RecordingRelay> {
    const relay = new RecordingRelay(Number(endpoint.slice(endpoint.lastIndexOf(":") + 1)), meddling);
    await new Promise<void>((resolve) => relay.#server.listen(0, "127.0.0.1", resolve));
    return relay;
  }

  get endpoint(): string {
    return `tcp://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** All bytes so far, of both directions, or of one. */
  recording(from?: "client" | "server"): Buffer {
    return Buffer.concat(
      this.#pieces.filter((piece) => from === undefined || piece.from === from).map(({ bytes }) => bytes),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #relay(client: Socket, server: Socket): void {
    this.#passOn("client", client, server);
    this.#passOn("server", server, client);
  }

  #passOn(from: "client" | "server", source: Socket, target: Socket): void {
    this.#sockets.add(source);
    source.on("data", (bytes) => {
      this.#pieces.push({ from, bytes });
      target.write(this.#meddling(bytes, from));
    });
    source.on("end", () => target.end());
    source.on("error", () => target.destroy());
    source.on("close", () => target.destroySoon());
  }
}
