import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import fastify from "fastify";
import { describe, expect, it, onTestFinished } from "vitest";
import { endConnections } from "../../../../coordinator/http/end-connections.js";
import type { HttpApp } from "../../../../coordinator/http/http-app.js";
import { type Deferred, deferred } from "../../../../shared/deferred.js";

/** Longer than any test may take: what ends does so by itself. */
const NEVER_MS = 3_600_000;
const LARGE = "x".repeat(20 * 2 ** 20);

interface Served {
  readonly app: HttpApp;
  /** Resolves when a request for `/gated` or `/begun` is being worked on. */
  readonly asked: Promise<void>;
  /** Lets their answers end. */
  readonly gate: Deferred<void>;
  readonly cuts: () => number;
  connect(): Promise<Socket>;
  /** Resolves when the app has begun to close. @returns when it has closed */
  close(): Promise<{ readonly closed: PromiseLike<unknown> }>;
}

async function serving(graceMs = NEVER_MS): Promise<Served> {
  const app = fastify() as unknown as HttpApp;
  const [asked, gate] = [deferred<void>(), deferred<void>()];
  let cuts = 0;
  const closing = deferred<void>();
  app.addHook("preClose", (done) => {
    closing.resolve();
    done();
  });
  endConnections(app, graceMs, () => {
    cuts++;
  });
  app.get("/gated", async () => {
    asked.resolve();
    await gate.promise;
    return "gated";
  });
  app.get("/begun", (_request, reply) => {
    async function* body() {
      yield "begun";
      asked.resolve();
      await gate.promise;
    }
    // With its length, which tells the client that all of it is there before this server knows.
    return reply.header("content-length", 5).send(Readable.from(body()));
  });
  app.get("/large", (_request, reply) => {
    asked.resolve();
    return reply.send(LARGE);
  });
  app.put("/refused", { onRequest: (_request, reply) => void reply.code(403).send("refused") }, () => "taken");
  app.put("/taken", () => "taken");
  app.addContentTypeParser("*", (_request, body, done) => {
    asked.resolve();
    body.resume().once("end", () => done(null));
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => app.close());
  const { port } = app.server.address() as { readonly port: number };
  const open = async () => {
    const socket = connect(port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    await once(socket, "connect");
    return socket;
  };
  const close = async () => {
    const closed = app.close();
    await closing.promise;
    return { closed };
  };
  return { app, asked: asked.promise, gate, cuts: () => cuts, connect: open, close };
}

function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
}

describe("a server that closes", () => {
  it("ends a connection that no request has come over", async () => {
    const { app, connect } = await serving();
    const accepted = once(app.server, "connection");
    const socket = await connect();
    await accepted;
    await app.close();
    expect(await text(socket)).toBe("");
  });

  it("ends a connection with the answer that was under way, and says so", async () => {
    const { asked, gate, connect, close } = await serving();
    const socket = await connect();
    socket.write(get("/gated"));
    await asked;
    const { closed } = await close();
    gate.resolve();
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer).toMatch(/\r\nconnection: close\r\n/i);
    expect(answer).toMatch(/gated$/);
    await closed;
  });

  it("ends a connection with an answer that had begun, though its client has all of it and would keep the connection", async () => {
    const { asked, gate, connect, close } = await serving();
    const socket = await connect();
    const answer = text(socket);
    socket.write(get("/begun"));
    await asked;
    const { closed } = await close();
    gate.resolve();
    expect(await answer).toMatch(/keep-alive[\s\S]*begun$/);
    await closed;
  });

  it("ends a connection whose request was refused before it was there, and stays away", async () => {
    const { app, connect } = await serving();
    const socket = await connect();
    const answered = once(socket, "data");
    socket.write("PUT /refused HTTP/1.1\r\nHost: localhost\r\nContent-Type: a/b\r\nContent-Length: 1000\r\n\r\nx");
    expect(String((await answered)[0])).toMatch(/^HTTP\/1\.1 403 /);
    await app.close();
    await once(socket.resume(), "close");
  });

  it("cuts off a request that has not ended in time, and tells", async () => {
    const { app, asked, cuts, connect } = await serving(10);
    const socket = await connect();
    socket.write("PUT /taken HTTP/1.1\r\nHost: localhost\r\nContent-Type: a/b\r\nContent-Length: 1000\r\n\r\nx");
    await asked;
    await app.close();
    expect(cuts()).toBe(1);
    expect(await text(socket)).toBe("");
  });

  it("answers all requests that had come over one connection", async () => {
    const { asked, gate, connect, close } = await serving();
    const socket = await connect();
    socket.write(`${get("/gated")}${get("/gated")}`);
    await asked;
    const { closed } = await close();
    gate.resolve();
    expect((await text(socket)).match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
    await closed;
  });

  it("sends a large answer to its end", async () => {
    const { asked, connect, close } = await serving();
    const socket = await connect();
    socket.write(get("/large"));
    await asked;
    const { closed } = await close();
    expect((await text(socket)).length).toBeGreaterThan(LARGE.length);
    await closed;
  });
});
