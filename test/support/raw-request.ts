import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  /** By names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** All of them, as they came. */
  readonly head: string;
  readonly body: string;
}

export interface RawRequest {
  readonly method?: string;
  /** As it is: nothing is encoded. */
  readonly path: string;
  /** Beside `host`, `connection: close` and a `content-length` of the body, which these replace; undefined leaves one out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string | Uint8Array;
}

/** Sends what no HTTP client would, over a connection of its own. @throws when the connection ends without an answer */
export function rawRequest(url: string, { method = "GET", path, headers = {}, body }: RawRequest): Promise<RawAnswer> {
  const bytes = Buffer.from(body ?? "");
  const length = body === undefined ? {} : { "content-length": String(bytes.length) };
  const all = { host: new URL(url).host, connection: "close", ...length, ...headers };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  const head = `${method} ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`;
  return rawExchange(url, [Buffer.from(head, "latin1"), bytes]);
}

/** Sends these bytes, and reads until the server ends the connection. */
export function rawExchange(url: string, pieces: readonly Uint8Array[]): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = openConnection(url);
    const received: Buffer[] = [];
    const finish = () => {
      const text = Buffer.concat(received).toString("latin1");
      if (text.startsWith("HTTP/1.1 ")) resolve(toAnswer(text));
      else
        reject(
          new Error(`no answer to ${Buffer.concat(pieces).toString("latin1").slice(0, 200)}: ${text.slice(0, 200)}`),
        );
    };
    socket.on("data", (piece: Buffer) => received.push(piece)).once("close", finish);
    for (const piece of pieces) socket.write(piece);
  });
}

/** A bare connection; it is closed when the test finishes. */
export function openConnection(url: string): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  // A server that has answered may end the connection while something is still being sent.
  socket.on("error", () => undefined);
  onTestFinished(() => void socket.destroy());
  return socket;
}

function toAnswer(text: string): RawAnswer {
  const end = text.indexOf("\r\n\r\n");
  const head = text.slice(0, end);
  const [first = "", ...lines] = head.split("\r\n");
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  const raw = Buffer.from(text.slice(end + 4), "latin1");
  return { status: Number(first.split(" ")[1]), headers, head, body: raw.toString() };
}
