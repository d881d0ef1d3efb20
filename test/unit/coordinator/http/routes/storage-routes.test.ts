import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { HttpApp } from "../../../../../coordinator/http/http-app.js";
import type { FileStore } from "../../../../../coordinator/store/file-store.js";
import { multipartForm } from "../multipart-form.js";
import { openHttpApp } from "../open-http-app.js";

const NOBODY = "5ab91658e8cc45946600ea11";
const LIMITS = { quotaBytes: 400_000, maxFileBytes: 200_000 };
let app: HttpApp;
let files: FileStore;
let directory: string;

beforeEach(async () => {
  ({ app, files, directory } = await openHttpApp({ fileLimits: LIMITS }));
});

async function send(fields: Readonly<Record<string, string | File>>, url = "/storage") {
  return app.inject({ method: "POST", url, ...(await multipartForm(fields)) });
}

async function stored(
  content: string | Uint8Array<ArrayBuffer>,
  name = "iris.txt",
  type = "text/plain",
): Promise<string> {
  return (await send({ file: new File([content], name, { type }) })).json().file;
}

/** Ids of what is stored, and how much of the quota is taken. */
async function kept() {
  const { files: ids } = (await app.inject({ url: "/storage" })).json();
  return { ids, usedBytes: files.usedBytes, arriving: await readdir(`${directory}/incoming`) };
}

const NOTHING = { ids: [], usedBytes: 0, arriving: [] };

describe("an upload", () => {
  it.each(["/storage", "/storage/", "/storage/upload"])(
    "to %s answers with an id under which the file is",
    async (url) => {
      const answer = await send({ file: new File(["5.1,3.5"], "iris.txt", { type: "text/csv" }) }, url);
      expect(answer.statusCode).toBe(200);
      expect(answer.json()).toEqual({ file: expect.stringMatching(/^[0-9a-f]{24}$/) });
      const file = await app.inject({ url: `/storage/files/${answer.json().file}` });
      expect([file.body, file.headers["content-type"]]).toEqual(["5.1,3.5", "text/csv; charset=utf-8"]);
    },
  );

  it("may bring other fields, before the file or after it", async () => {
    const answer = await send({ before: "1", file: new File(["a"], "a.txt"), after: "2" });
    expect(answer.statusCode).toBe(200);
    expect(files.usedBytes).toBe(1);
  });

  it.each([
    ["../../etc/passwd", "passwd"],
    ["..\\..\\boot.ini", "boot.ini"],
    ["/etc/shadow", "shadow"],
    ["Blüten 中.csv", "Blüten 中.csv"],
    ["<script>.html", "<script>.html"],
  ])("named %s is only called %s", async (sent, name) => {
    const id = await stored("x", sent);
    expect((await app.inject({ url: `/storage/metadata/${id}` })).json().name).toBe(name);
    const named = await app.inject({ url: `/storage/files/name/${encodeURIComponent(name)}` });
    expect([named.statusCode, named.body]).toEqual([200, "x"]);
  });

  it.each<[string, Readonly<Record<string, string | File>>]>([
    ["no file", { other: "1" }],
    ["a text instead of a file", { file: "1" }],
    ["the file in another field", { upload: new File(["a"], "a.txt") }],
    ["an empty name", { file: new File(["a"], "") }],
    ["a name of 300 characters", { file: new File(["a"], "x".repeat(300)) }],
  ])("with %s is refused by 400, and nothing is kept", async (_what, fields) => {
    const answer = await send(fields);
    expect(answer.statusCode).toBe(400);
    expect(answer.json().error.message.length).toBeGreaterThan(20);
    expect(await kept()).toEqual(NOTHING);
  });

  it("of two files is refused by 413, and neither is kept", async () => {
    const answer = await send({ file: new File(["a"], "a.txt"), second: new File(["b"], "b.txt") });
    expect([answer.statusCode, answer.json().error.code]).toEqual([413, "PAYLOAD_TOO_LARGE"]);
    expect(await kept()).toEqual(NOTHING);
  });

  it.each([
    ["a form without a boundary", "multipart/form-data", "x"],
    ["no form at all", "multipart/form-data; boundary=b", "hello"],
    ["an empty form", "multipart/form-data; boundary=b", ""],
    [
      "a form cut short",
      "multipart/form-data; boundary=b",
      '--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nabc',
    ],
    [
      "a form whose end is missing",
      "multipart/form-data; boundary=b",
      '--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nabc\r\n--b\r\n',
    ],
    [
      "headers only",
      "multipart/form-data; boundary=b",
      '--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n',
    ],
  ])("that is %s is refused by 400, and nothing is kept", async (_what, type, payload) => {
    const answer = await app.inject({ method: "POST", url: "/storage", headers: { "content-type": type }, payload });
    expect([answer.statusCode, answer.json().error.code]).toEqual([400, "BAD_REQUEST"]);
    expect(await kept()).toEqual(NOTHING);
  });

  it.each(["application/json", "text/plain", "application/octet-stream"])("as %s is refused by 415", async (type) => {
    const headers = { "content-type": type };
    const answer = await app.inject({ method: "POST", url: "/storage", headers, payload: "{}" });
    expect([answer.statusCode, answer.json().error.code]).toEqual([415, "UNSUPPORTED_MEDIA_TYPE"]);
  });

  it("of more than a file may have is refused by 413, of more than there is room for by 507", async () => {
    const large = new File([new Uint8Array(LIMITS.maxFileBytes + 1)], "large");
    const refused = await send({ file: large });
    expect([refused.statusCode, refused.json().error.code]).toEqual([413, "QUOTA_EXCEEDED"]);
    expect((await send({ file: new File([new Uint8Array(LIMITS.maxFileBytes)], "1") })).statusCode).toBe(200);
    expect((await send({ file: new File([new Uint8Array(LIMITS.maxFileBytes).fill(1)], "2") })).statusCode).toBe(200);
    const full = await send({ file: new File(["x"], "3") });
    expect([full.statusCode, full.json().error.code]).toEqual([507, "QUOTA_EXCEEDED"]);
    expect((await kept()).ids).toHaveLength(2);
  });
});

describe("an upload over a connection", () => {
  const HEAD = "POST /storage HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n";
  const PART = '--b\r\nContent-Disposition: form-data; name="file"; filename="slow.txt"\r\n\r\n';
  const END = "\r\n--b--\r\n";

  async function connected(): Promise<Socket> {
    await app.listen({ host: "127.0.0.1", port: 0 });
    const address = app.server.address();
    if (address === null || typeof address === "string") throw new Error("the server does not listen");
    const socket = connect(address.port, "127.0.0.1");
    await once(socket, "connect");
    return socket;
  }

  function chunk(piece: string): string {
    return `${piece.length.toString(16)}\r\n${piece}\r\n`;
  }

  it("may come in small pieces, without a length", async () => {
    const socket = await connected();
    socket.write(`${HEAD}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n`);
    for (const piece of [PART, "1,2\n", "3,4\n", ...END]) {
      await new Promise((resolve) => socket.write(chunk(piece), resolve));
    }
    socket.write("0\r\n\r\n");
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 [\s\S]*\{"file":"[0-9a-f]{24}"\}$/);
    expect((await app.inject({ url: "/storage/files/name/slow.txt" })).body).toBe("1,2\n3,4\n");
  });

  it("that breaks off leaves nothing", async () => {
    const socket = await connected();
    const arriving = vi.waitUntil(() => files.usedBytes > 0);
    socket.write(`${HEAD}Content-Length: 100000\r\n\r\n${PART}${"x".repeat(1000)}`);
    await arriving;
    socket.destroy();
    await vi.waitUntil(() => files.usedBytes === 0);
    expect(await kept()).toEqual(NOTHING);
  });

  it("that breaks off between the file and the form's end leaves nothing", async () => {
    const socket = await connected();
    const arrived = vi.waitUntil(async () => (await files.list({ limit: 1 })).files.length === 1);
    socket.write(`${HEAD}Content-Length: 100000\r\n\r\n${PART}abc\r\n--b\r\n`);
    await arrived;
    socket.destroy();
    await vi.waitUntil(async () => (await files.list({ limit: 1 })).files.length === 0);
    expect(await kept()).toEqual(NOTHING);
  });

  it("that is too large hears so, though it is still being sent", async () => {
    const socket = await connected();
    socket.write(`${HEAD}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n${chunk(PART)}`);
    for (let sent = 0; sent < 8; sent++) socket.write(chunk("x".repeat(50_000)));
    socket.write(chunk(END));
    socket.write("0\r\n\r\n");
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 413 [\s\S]*QUOTA_EXCEEDED/);
    expect(await kept()).toEqual(NOTHING);
  });

  it("whose length says already that it is too large is not read", async () => {
    const socket = await connected();
    socket.write(`${HEAD}Content-Length: 100000000\r\n\r\n`);
    const [answer] = await once(socket, "data");
    expect(String(answer)).toMatch(/^HTTP\/1\.1 413 [\s\S]*200000 bytes/);
    socket.destroy();
  });
});

describe("a stored file", () => {
  it("is shown, or saved where that is asked for", async () => {
    const id = await stored("abc", "Blüte.txt");
    const shown = await app.inject({ url: `/storage/files/${id}?download=false` });
    expect(shown.headers["content-disposition"]).toMatch(/^inline; /);
    const saved = await app.inject({ url: `/storage/files/${id}?download=true` });
    expect(saved.headers["content-disposition"]).toBe(
      "attachment; filename=\"Bl_te.txt\"; filename*=UTF-8''Bl%C3%BCte.txt",
    );
    expect((await app.inject({ url: `/storage/files/${id}?download=perhaps` })).statusCode).toBe(400);
  });

  it("never runs in a browser", async () => {
    const page = "<script>alert(1)</script>";
    for (const type of ["text/html", "image/svg+xml", "application/xhtml+xml", "text/xml"]) {
      const { headers } = await app.inject({ url: `/storage/files/${await stored(page, "page.html", type)}` });
      expect(headers["content-type"]).toBe("text/plain; charset=utf-8");
      expect(headers["x-content-type-options"]).toBe("nosniff");
      expect(headers["content-security-policy"]).toContain("sandbox");
    }
  });

  it("comes in ranges", async () => {
    const url = `/storage/files/${await stored("0123456789")}`;
    for (const [range, status, body, where] of [
      ["bytes=0-3", 206, "0123", "bytes 0-3/10"],
      ["bytes=-2", 206, "89", "bytes 8-9/10"],
      ["bytes=8-", 206, "89", "bytes 8-9/10"],
      ["bytes=0-1,3-4", 200, "0123456789", undefined],
      ["rows=0-1", 200, "0123456789", undefined],
    ] as const) {
      const answer = await app.inject({ url, headers: { range } });
      expect([answer.statusCode, answer.body, answer.headers["content-range"]]).toEqual([status, body, where]);
      expect(answer.headers["content-length"]).toBe(String(body.length));
    }
    const beyond = await app.inject({ url, headers: { range: "bytes=10-" } });
    expect([beyond.statusCode, beyond.headers["content-range"]]).toEqual([416, "bytes */10"]);
    expect(beyond.json().error.code).toBe("RANGE_NOT_SATISFIABLE");
    expect(beyond.headers["content-disposition"]).toBeUndefined();
  });

  it("is not sent to those who have it, and whole to those who have another", async () => {
    const url = `/storage/files/${await stored("0123456789")}`;
    const { etag } = (await app.inject({ url })).headers;
    for (const tags of [String(etag), `W/${etag}`, `"x", ${etag}`, "*"]) {
      const answer = await app.inject({ url, headers: { "if-none-match": tags } });
      expect([answer.statusCode, answer.body, answer.headers.etag]).toEqual([304, "", etag]);
    }
    expect((await app.inject({ url, headers: { "if-none-match": '"x"' } })).statusCode).toBe(200);
    const range = "bytes=0-1";
    expect((await app.inject({ url, headers: { range, "if-range": String(etag) } })).body).toBe("01");
    expect((await app.inject({ url, headers: { range, "if-range": '"x"' } })).body).toBe("0123456789");
  });

  it("answers HEAD with its length, without being read", async () => {
    const url = `/storage/files/${await stored("0123456789")}`;
    const { statusCode, headers, body } = await app.inject({ method: "HEAD", url, headers: { range: "bytes=0-1" } });
    expect([statusCode, headers["content-length"], headers["accept-ranges"], body]).toEqual([200, "10", "bytes", ""]);
  });

  it("may be empty", async () => {
    const answer = await app.inject({ url: `/storage/files/${await stored("")}` });
    expect([answer.statusCode, answer.body, answer.headers["content-length"]]).toEqual([200, "", "0"]);
  });

  it("is found under its name, the latest first", async () => {
    await stored("old");
    await stored("new");
    const answer = await app.inject({ url: "/storage/files/name/iris.txt" });
    expect([answer.body, answer.headers["content-disposition"]?.toString().slice(0, 10)]).toEqual([
      "new",
      "attachment",
    ]);
    const unknown = await app.inject({ url: "/storage/files/name/..%2F..%2Fetc%2Fpasswd" });
    expect([unknown.statusCode, unknown.json().error.code]).toEqual([404, "NOT_FOUND"]);
    expect(unknown.json().error.message).toContain('"../../etc/passwd"');
  });

  it("is described, listed in pages, and deleted", async () => {
    const ids = [await stored("a"), await stored("b"), await stored("c")];
    expect((await app.inject({ url: `/storage/metadata/${ids[0]}` })).json()).toEqual({
      id: ids[0],
      name: "iris.txt",
      contentType: "text/plain",
      sizeBytes: 1,
      sha256: "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
    const first = (await app.inject({ url: "/storage?limit=2" })).json();
    expect([first.files, first.metadata.map(({ id }: { id: string }) => id)]).toEqual([
      ids.slice(0, 2),
      ids.slice(0, 2),
    ]);
    const second = (await app.inject({ url: `/storage?limit=2&cursor=${first.next}` })).json();
    expect([second.files, second.next]).toEqual([[ids[2]], null]);
    const gone = await app.inject({ method: "DELETE", url: `/storage/files/${ids[0]}` });
    expect([gone.statusCode, gone.body]).toEqual([200, ""]);
    expect((await app.inject({ url: `/storage/files/${ids[0]}` })).statusCode).toBe(404);
  });

  it.each(["limit=0", "limit=1001", "limit=", "limit=1e2", "cursor=x", "cursor="])(
    "lists nothing for %s",
    async (query) => {
      const answer = await app.inject({ url: `/storage?${query}` });
      expect([answer.statusCode, answer.json().error.message]).toEqual([
        400,
        expect.stringContaining(query.split("=")[0] ?? ""),
      ]);
    },
  );

  it.each([NOBODY, "x", "..%2Fstore.db", "%00", "x".repeat(500)])("is not there under %s", async (id) => {
    for (const [method, url] of [
      ["GET", `/storage/files/${id}`],
      ["HEAD", `/storage/files/${id}`],
      ["DELETE", `/storage/files/${id}`],
      ["GET", `/storage/metadata/${id}`],
    ] as const) {
      expect([method, (await app.inject({ method, url })).statusCode]).toEqual([method, 404]);
    }
  });
});

it("fetches nothing from elsewhere", async () => {
  const answer = await app.inject({ url: "/storage/upload?url=http://127.0.0.1:1/secret" });
  expect([answer.statusCode, answer.json().error.code]).toEqual([403, "FORBIDDEN"]);
  expect(answer.json().error.message).toContain("POST it to /storage/upload");
});
