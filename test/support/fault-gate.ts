import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What the gate does with a request instead of letting it through; `lost`: it goes through, but its answer doesn't come back. */
export type Fault = "refuse" | "fail" | "hang" | "lost";

/**
 * A real HTTP server on a port of its own before another: lets requests through to it, or does to them what
 * {@link fault} says, and counts. Can be closed and opened again on the same port.
 */
export class FaultGate implements AsyncDisposable {
  readonly #origin: () => string;
  #server: Server | null = null;
  #port = 0;
  /** Of the next requests that `applies` to; null: none. */
  fault: Fault | null = null;
  applies: (request: IncomingMessage) => boolean = () => true;
  /** `METHOD /path` of the requests that reached the server. */
  readonly passed: string[] = [];
  /** How often each fault has struck. */
  readonly struck = { refuse: 0, fail: 0, hang: 0, lost: 0 };
  /** Called after each strike. */
  onStrike: () => void = () => undefined;

  /** @param origin of the server behind it, as it is when a request comes */
  constructor(origin: () => string) {
    this.#origin = origin;
  }

  /** A port that nothing listens on until {@link open} is called. */
  async reserve(): Promise<void> {
    await this.open();
    await this.close();
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async open(): Promise<void> {
    const server = createServer((request, response) => void this.#handle(request, response));
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Cuts every connection. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fault = this.applies(request) ? this.fault : null;
    if (fault !== null && fault !== "lost") {
      if (fault === "refuse") request.socket.destroy();
      if (fault === "fail") response.writeHead(500).end("no luck");
      this.#strike(fault);
      return;
    }
    const pieces: Buffer[] = [];
    for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
    this.passed.push(`${request.method} ${request.url}`);
    const answer = await fetch(`${this.#origin()}${request.url}`, {
      method: request.method ?? "GET",
      headers: withoutFraming(request),
      body: pieces.length === 0 ? null : Buffer.concat(pieces),
    });
    const body = Buffer.from(await answer.arrayBuffer());
    if (fault === "lost") {
      request.socket.destroy();
      this.#strike(fault);
      return;
    }
    const type = answer.headers.get("content-type");
    response.writeHead(answer.status, type === null ? {} : { "content-type": type });
    response.end(body);
  }

  #strike(fault: Fault): void {
    this.struck[fault]++;
    this.onStrike();
  }
}

function withoutFraming({ headers }: IncomingMessage): Record<string, string> {
  const names = ["authorization", "content-type", "accept"];
  return Object.fromEntries(
    names.flatMap((name) => (headers[name] === undefined ? [] : [[name, String(headers[name])]])),
  );
}
