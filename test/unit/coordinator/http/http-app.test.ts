import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import type { HttpApp } from "../../../../coordinator/http/http-app.js";
import { ErrorResponseSchema } from "../../../../shared/api/error-response.js";
import { deferred } from "../../../../shared/deferred.js";
import { irisDocument, XML } from "./documents.js";
import { openHttpApp } from "./open-http-app.js";

const READER = { authorization: "Bearer reader" };
const WRITER = { authorization: "Bearer writer" };

/** What the server answers to exactly these bytes, until it closes the connection. */
async function raw(app: HttpApp, request: string): Promise<string> {
  const socket = connect(portOf(app), "127.0.0.1");
  await once(socket, "connect");
  socket.write(request);
  return text(socket);
}

function portOf(app: HttpApp): number {
  const address = app.server.address();
  if (address === null || typeof address === "string") throw new Error("the server does not listen");
  return address.port;
}

async function listening(options: Parameters<typeof openHttpApp>[0] = {}): Promise<HttpApp> {
  const { app } = await openHttpApp(options);
  await app.listen({ host: "127.0.0.1", port: 0 });
  return app;
}

function errorIn(answer: string) {
  const body = answer.slice(answer.indexOf("\r\n\r\n") + 4);
  return ErrorResponseSchema.parse(JSON.parse(body)).error;
}

describe("every answer", () => {
  it("says to browsers what they may do with it", async () => {
    const { app } = await openHttpApp();
    for (const url of ["/status", "/nothing", "/docs", "/vinnsl/%zz"]) {
      const { headers } = await app.inject({ url });
      expect(headers["content-security-policy"]).toContain("default-src 'self'");
      expect(headers["content-security-policy"]).toContain("frame-ancestors 'none'");
      expect(headers["x-content-type-options"]).toBe("nosniff");
      expect(headers["referrer-policy"]).toBe("no-referrer");
      expect(headers["cache-control"]).toBe("no-store");
      expect(headers["strict-transport-security"]).toBeUndefined();
    }
  });

  it("is JSON with code, message and place from 400 on, also for those who want XML", async () => {
    const { app } = await openHttpApp();
    for (const [method, url, status, code] of [
      ["GET", "/nothing", 404, "NOT_FOUND"],
      ["PATCH", "/vinnsl", 405, "METHOD_NOT_ALLOWED"],
      ["POST", "/vinnsl", 415, "UNSUPPORTED_MEDIA_TYPE"],
      ["GET", "/vinnsl/%zz", 400, "BAD_REQUEST"],
      ["GET", "/vinnsl/nobody", 404, "NOT_FOUND"],
    ] as const) {
      const answer = await app.inject({ method, url, headers: { accept: "application/xml" } });
      expect(answer.statusCode).toBe(status);
      expect(answer.headers["content-type"]).toBe("application/json; charset=utf-8");
      expect(ErrorResponseSchema.parse(answer.json()).error).toMatchObject({ code, path: null, line: null });
    }
  });

  it("names the methods that a path does take", async () => {
    const { app } = await openHttpApp();
    for (const [method, url, allow] of [
      ["PUT", "/vinnsl", "GET, HEAD, POST"],
      ["OPTIONS", "/vinnsl/", "GET, HEAD, POST"],
      ["TRACE", "/status?x=1", "GET, HEAD"],
      ["POST", "/vinnsl/5ab91658e8cc45946600ea11/definition", "PUT"],
      ["GET", "/vinnsl/deleteall/x", undefined],
    ] as const) {
      const answer = await app.inject({ method: method as "GET", url });
      expect([url, answer.statusCode, answer.headers.allow]).toEqual([url, allow === undefined ? 404 : 405, allow]);
    }
  });

  it("keeps to itself what went wrong inside", async () => {
    const { app, service } = await openHttpApp();
    Object.assign(service, { statuses: () => Promise.reject(new Error("secret path /var/lib")) });
    const answer = await app.inject({ url: "/status" });
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain("secret");
    expect(answer.json().error).toMatchObject({ code: "INTERNAL", message: expect.stringContaining("req-") });
  });
});

describe("tokens", () => {
  const tokens = { read: "reader", write: "writer" };

  it("let read, or read and write", async () => {
    const { app } = await openHttpApp({ tokens });
    const payload = await irisDocument();
    const post = (headers: Record<string, string>) =>
      app.inject({ method: "POST", url: "/vinnsl", headers: { ...XML, ...headers }, payload });
    const refused = await post({});
    expect([refused.statusCode, refused.headers["www-authenticate"]]).toEqual([401, 'Bearer realm="ringstrasse"']);
    expect((await post({ authorization: "Bearer no" })).headers["www-authenticate"]).toContain("invalid_token");
    expect((await post(READER)).statusCode).toBe(403);
    expect((await app.inject({ url: "/vinnsl", headers: READER })).json()).toEqual([]);
    expect((await post(WRITER)).statusCode).toBe(201);
    expect((await app.inject({ url: "/vinnsl", headers: WRITER })).json()).toHaveLength(1);
  });

  it("are asked for before anything is told of paths, and not in addresses", async () => {
    const { app } = await openHttpApp({ tokens });
    for (const url of ["/status", "/nothing", "/status?token=reader", "/storage/files/x"]) {
      expect((await app.inject({ url })).statusCode).toBe(401);
    }
    expect((await app.inject({ method: "HEAD", url: "/status", headers: READER })).statusCode).toBe(200);
    expect((await app.inject({ method: "DELETE", url: "/vinnsl/deleteall", headers: READER })).statusCode).toBe(403);
    expect((await app.inject({ url: "/docs/json" })).statusCode).toBe(200);
  });

  it("make names and origins no question", async () => {
    const { app } = await openHttpApp({ tokens });
    const headers = { ...READER, host: "ring.example", origin: "http://other.example" };
    expect((await app.inject({ url: "/status", headers })).statusCode).toBe(200);
  });
});

describe("a server without tokens", () => {
  it("refuses foreign names and foreign pages, and does nothing for them", async () => {
    const { app } = await openHttpApp();
    const payload = await irisDocument();
    for (const headers of [{ host: "evil.example" }, { origin: "http://evil.example" }]) {
      const answer = await app.inject({ method: "POST", url: "/vinnsl", headers: { ...XML, ...headers }, payload });
      expect([answer.statusCode, answer.json().error.code]).toEqual([403, "FORBIDDEN"]);
    }
    expect((await app.inject({ url: "/vinnsl" })).json()).toEqual([]);
  });

  it("names itself as it is known", async () => {
    const { app } = await openHttpApp({ publicOrigin: "https://ring.example" });
    const headers = { ...XML, host: "ring.example", origin: "https://ring.example" };
    const answer = await app.inject({ method: "POST", url: "/vinnsl", headers, payload: await irisDocument() });
    expect(answer.headers.location).toMatch(/^https:\/\/ring\.example\/vinnsl\/[0-9a-f]{24}$/);
  });
});

describe("a connection", () => {
  it("that speaks no HTTP hears so", async () => {
    const app = await listening();
    const answer = await raw(app, "hello\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain("x-content-type-options: nosniff");
    expect(errorIn(answer).code).toBe("BAD_REQUEST");
  });

  it("with endless headers is cut off", async () => {
    const app = await listening();
    const answer = await raw(app, `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(20_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(errorIn(answer).code).toBe("HEADERS_TOO_LARGE");
  });

  it("whose body does not come hears so, and ends", async () => {
    const app = await listening({ limits: { bodyTimeoutMs: 50 } });
    const head =
      "POST /vinnsl HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/xml\r\nContent-Length: 100\r\n\r\n<v";
    const answer = await raw(app, head);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(errorIn(answer).code).toBe("REQUEST_TIMEOUT");
  });

  it("may send a document in pieces without a length", async () => {
    const app = await listening();
    const body = (await irisDocument()).toString("latin1");
    const chunks = [body.slice(0, 10), body.slice(10)].map((part) => `${part.length.toString(16)}\r\n${part}\r\n`);
    const head = "POST /vinnsl HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: text/xml\r\n";
    const answer = await raw(app, `${head}Transfer-Encoding: chunked\r\n\r\n${chunks.join("")}0\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 201 /);
  });

  it("that sends too much hears so", async () => {
    const app = await listening({ limits: { bodyBytes: 100 } });
    const head = "POST /vinnsl HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: 100000\r\n\r\n";
    const answer = await raw(app, `${head}${"x".repeat(100_000)}`);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(errorIn(answer).message).toContain("larger than the 100 bytes");
  });
});

describe("closing", () => {
  it("lets a request that runs end, and takes no more", async () => {
    const { app, service } = await openHttpApp();
    const statuses = deferred<Record<string, "CREATED">>();
    const asked = deferred<void>();
    Object.assign(service, {
      statuses: () => {
        asked.resolve();
        return statuses.promise;
      },
    });
    const origin = await app.listen({ host: "127.0.0.1", port: 0 });
    const running = fetch(`${origin}/status`);
    await asked.promise;
    const closed = app.close();
    statuses.resolve({ a: "CREATED" });
    expect(await (await running).json()).toEqual({ a: "CREATED" });
    await closed;
    await expect(fetch(`${origin}/status`)).rejects.toThrow("fetch failed");
  });
});

describe("/docs", () => {
  it("describes every route with all that it may answer", async () => {
    const { app } = await openHttpApp();
    const { openapi, paths } = (await app.inject({ url: "/docs/json" })).json();
    expect(openapi).toBe("3.1.0");
    expect(Object.keys(paths["/vinnsl"])).toEqual(expect.arrayContaining(["get", "post"]));
    const { requestBody, responses, parameters } = paths["/vinnsl"].post;
    expect(Object.keys(requestBody.content)).toEqual(["application/xml", "text/xml", "application/json"]);
    expect(Object.keys(responses)).toEqual(
      expect.arrayContaining(["201", "400", "401", "403", "408", "413", "415", "500", "503", "507"]),
    );
    expect(parameters).toContainEqual(
      expect.objectContaining({
        name: "priority",
        schema: expect.objectContaining({ type: "integer", minimum: -1000 }),
      }),
    );
    expect(Object.keys(paths["/vinnsl/{id}"].get.responses["200"].content)).toEqual([
      "application/json",
      "application/xml",
    ]);
    for (const operation of Object.values<Record<string, { responses?: object; summary?: string }>>(paths)) {
      for (const [method, { responses: answers, summary }] of Object.entries(operation)) {
        expect([method, Object.keys(answers ?? {})]).toEqual([method, expect.arrayContaining(["403", "500"])]);
        expect(summary).toBeTruthy();
      }
    }
  });

  it("asks for a token where there is one", async () => {
    const { app } = await openHttpApp({ tokens: { read: null, write: "writer" } });
    const { security, components } = (await app.inject({ url: "/docs/json" })).json();
    expect(security).toEqual([{ token: [] }]);
    expect(components.securitySchemes.token).toMatchObject({ type: "http", scheme: "bearer" });
  });

  it("has a page for people that needs nothing from elsewhere", async () => {
    const { app } = await openHttpApp();
    const page = await app.inject({ url: "/docs" });
    expect(page.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(page.body).toContain("PUT /vinnsl/{id}/addfile");
    expect(page.body).not.toMatch(/<script|https?:|style=/);
    expect((await app.inject({ url: "/docs/style.css" })).headers["content-type"]).toBe("text/css; charset=utf-8");
  });
});
