import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { HAS_IPV6 } from "../support/has-ipv6.js";
import { openConnection, type RawAnswer, type RawRequest, rawExchange, rawRequest } from "../support/raw-request.js";
import { ROOT, startCommand } from "../support/run-command.js";
import { ask, askJson, exampleXml, post, type Serving, startServing, stopServing } from "../support/serving.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const UNKNOWN = "5ab91658e8cc45946600ea11";
const XML = { "content-type": "application/xml" };
const JSON_TYPE = { "content-type": "application/json" };

/** What the description of the interface lists. */
interface Operation {
  readonly method: string;
  /** With plausible values in place of its parameters. */
  readonly path: string;
  readonly name: string;
  readonly isPublic: boolean;
}

async function operations(serving: Serving): Promise<Operation[]> {
  const { paths } = await askJson<{ paths: Record<string, Record<string, { security?: readonly unknown[] }>> }>(
    serving,
    "/docs/json",
  );
  const values: Record<string, string> = { status: "QUEUED", name: "model.json", filename: "a.csv" };
  return Object.entries(paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, { security }]) => ({
      method: method.toUpperCase(),
      path: template.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? UNKNOWN),
      name: `${method.toUpperCase()} ${template}`,
      isPublic: security?.length === 0,
    })),
  );
}

/** Refused, in words, and with the headers that every answer has. */
function expectRefusal(answer: RawAnswer, statuses: readonly number[], about: string): void {
  expect(statuses, `${about}: ${answer.head}\n${answer.body.slice(0, 500)}`).toContain(answer.status);
  expectSecurityHeaders(answer, about);
  const { error } = JSON.parse(answer.body) as { error: { code: string; message: string } };
  expect(error.code, about).toMatch(/^[A-Z_]+$/);
  expect(error.message, about).toMatch(/\S\. \S/);
}

function expectSecurityHeaders({ headers, head }: RawAnswer, about: string): void {
  const seen = ["x-content-type-options", "x-frame-options", "referrer-policy"].map((name) => headers.get(name));
  expect(seen, `${about}: ${head}`).toEqual(["nosniff", "DENY", "no-referrer"]);
  expect(headers.get("content-security-policy"), about).toMatch(/default-src '(self|none)'.*frame-ancestors 'none'/);
  for (const name of headers.keys()) expect(name, about).not.toMatch(/^access-control-|^x-powered-by|^server$/);
}

/** A form as it goes over the wire. @param disposition what stands behind `form-data` */
function form(
  disposition: string,
  content: string | Uint8Array,
  type = "text/csv",
): RawRequest & { readonly body: Buffer } {
  const head = `--xyz\r\nContent-Disposition: form-data${disposition}\r\nContent-Type: ${type}\r\n\r\n`;
  const body = Buffer.concat([Buffer.from(head), Buffer.from(content), Buffer.from("\r\n--xyz--\r\n")]);
  return {
    method: "POST",
    path: "/storage/upload",
    headers: { "content-type": "multipart/form-data; boundary=xyz" },
    body,
  };
}

const storedFiles = async (serving: Serving) =>
  (await askJson<{ metadata: { name: string }[] }>(serving, "/storage")).metadata;

async function stillWell(serving: Serving): Promise<void> {
  expect(await askJson(serving, "/health")).toMatchObject({ status: "ok" });
  expect(await stopServing(serving)).toBe(0);
}

describe("paths", () => {
  const hostile = [
    "../../../etc/passwd", "..%2f..%2f..%2fetc%2fpasswd", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "%252e%252e%252fetc%252fpasswd",
    "..%5c..%5cetc%5cpasswd", "..%c0%af..%c0%afetc/passwd", "%uff0e%uff0e%2fetc", "%ef%bc%8e%ef%bc%8e%ef%bc%8fetc", ".", "..", "%2e%2e",
    "%2fetc%2fpasswd", "//etc/passwd", "file:%2f%2f%2fetc%2fpasswd", "%00", `${UNKNOWN}%00.csv`, "a%0d%0aX-Evil:%201", "~root", "CON", "%",
    "%zz", "a".repeat(5000), "%f0%9f%98%80".repeat(200), "%e2%80%ae", "__proto__", "constructor", "*", "{id}", "%7bid%7d", ";", "a?b#c",
  ]; // biome-ignore format: a list of words
  const routes: readonly (readonly [method: string, before: string, after: string])[] = [
    ["GET", "/storage/files/name/", ""], ["GET", "/storage/files/", ""], ["GET", "/storage/metadata/", ""], ["DELETE", "/storage/files/", ""],
    ["GET", "/vinnsl/", ""], ["DELETE", "/vinnsl/", ""], ["GET", "/vinnsl/", "/model"], ["GET", `/vinnsl/${UNKNOWN}/model/`, ""],
    ["PUT", `/vinnsl/${UNKNOWN}/ingest/model/`, ""], ["GET", "/vinnsl/", "/events"], ["GET", "/dl4j/", ""], ["PUT", "/worker/queue/", ""],
    ["PUT", "/status/", "/QUEUED"], ["GET", "/cluster/jobs/", ""], ["GET", "/assets/", ""], ["GET", "/no/", ""],
  ]; // biome-ignore format: a list of words

  it("that lead elsewhere, or nowhere, are refused, and nothing of the file system is told", async () => {
    const serving = await startServing({ workers: 0 });
    for (const [method, before, after] of routes) {
      for (const name of hostile) {
        const path = `${before}${name}${after}`;
        const answer = await rawRequest(serving.url, { method, path, ...(method === "GET" ? {} : { body: "" }) });
        // Some of them are another route's list, which is as harmless as ever.
        const isList = answer.status === 200 && /^\/(?:storage|vinnsl|dl4j|cluster)[^%]*[?.]/.test(path);
        if (!isList) expectRefusal(answer, [400, 404, 405, 415], `${method} ${path.slice(0, 200)}`);
        expect(answer.body).not.toContain("root:");
        expect(answer.body).not.toContain(serving.dataDirectory);
        expect([...answer.headers.keys()]).not.toContain("x-evil");
      }
    }
    await stillWell(serving);
  });

  it("in names of uploads are data: they lead nowhere, and say nothing to headers", async () => {
    const outer = await temporaryDirectory();
    const serving = await startServing({ workers: 0, dataDirectory: join(outer, "data") });
    const names = [
      "../../../evil.csv", "..\\..\\evil.csv", "/etc/evil.csv", "C:\\evil.csv", "..", ".", "a/b.csv", "%2e%2e%2fevil.csv", "evil\u202Evsc.exe",
      "größe 漢字 \u{1F600}.csv", 'quote".csv', "semi;colon=1.csv", "__proto__", "x".repeat(255), "x".repeat(5000), "<script>.html", "-rf",
    ]; // biome-ignore format: a list of words
    const wire = names.map((name) => `; name="file"; filename="${name.replaceAll('"', "%22")}"`);
    wire.push(`; name="file"; filename*=UTF-8''a%0d%0aX-Evil%3a%201.csv`, `; name="file"; filename="a\0b.csv"`);
    for (const disposition of wire) {
      const answer = await rawRequest(serving.url, form(disposition, "1,2,3"));
      if (answer.status !== 200) expectRefusal(answer, [400], disposition);
    }
    const stored = await storedFiles(serving);
    expect(stored.length).toBeGreaterThan(5);
    for (const { name } of stored) {
      expect(name).toMatch(/^\P{Cc}{1,255}$/u);
      const answer = await rawRequest(serving.url, { path: `/storage/files/name/${encodeURIComponent(name)}` });
      expect({ name, status: answer.status, body: answer.body }).toEqual({ name, status: 200, body: "1,2,3" });
      expect(answer.headers.get("content-disposition")).toMatch(
        /^attachment; filename="[^"\\/]*"; filename\*=UTF-8''[\w.%!~*'()-]+$/,
      );
      expect([...answer.headers.keys()]).not.toContain("x-evil");
    }
    expect(await readdir(outer)).toEqual(["data"]);
    const contents = (await readdir(join(outer, "data"), { recursive: true })).filter((path) =>
      /evil|passwd|script/.test(path),
    );
    expect(contents).toEqual([]);
    await stillWell(serving);
  });
});

describe("documents", () => {
  it("with external entities, external types or bombs are refused by POST and as parts, and nothing is fetched", async () => {
    let fetched = 0;
    const elsewhere = createServer((_request, response) => {
      fetched++;
      response.end("<!ENTITY x 'y'>");
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void elsewhere.close());
    const origin = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
    const laughs = Array.from(
      { length: 9 },
      (_, level) => `<!ENTITY l${level + 1} "${`&l${level};`.repeat(10)}">`,
    ).join("");
    const declarations = [
      '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
      `<!DOCTYPE r [<!ENTITY x SYSTEM "${origin}/x">]>`,
      `<!DOCTYPE r SYSTEM "${origin}/x.dtd">`,
      `<!DOCTYPE r PUBLIC "-//X//X" "${origin}/x.dtd">`,
      `<!DOCTYPE r [<!ENTITY % p SYSTEM "${origin}/p"> %p;]>`,
      `<!DOCTYPE r [<!ENTITY l0 "lol">${laughs}<!ENTITY x "&l9;">]>`,
      `<!DOCTYPE r [<!ENTITY x "${"a".repeat(100_000)}">]>`,
      `<?xml-stylesheet href="${origin}/x.xsl"?>`,
      "",
    ];
    const serving = await startServing({ workers: 0 });
    const id = await post(serving, await exampleXml(ROOT, "iris"));
    const before = await (await ask(serving, `/vinnsl/${id}`)).text();
    const targets = [
      ["POST", "/vinnsl", "vinnsl"], ["POST", "/vinnsl", "definition"], ["PUT", `/vinnsl/${id}/definition`, "definition"],
      ["PUT", `/vinnsl/${id}/instanceschema`, "instanceschema"], ["PUT", `/vinnsl/${id}/resultschema`, "resultschema"],
      ["PUT", `/vinnsl/${id}/trainingresult`, "trainingresult"],
    ] as const; // biome-ignore format: a table
    for (const [method, path, root] of targets) {
      for (const declaration of declarations) {
        const include = `<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="${origin}/x"/>`;
        const body = `<?xml version="1.0"?>${declaration}<${root}><identifier>&x;${"&x;".repeat(20)}</identifier>${include}</${root}>`;
        const answer = await rawRequest(serving.url, { method, path, headers: XML, body });
        expectRefusal(answer, [400], `${method} ${path} ${declaration.slice(0, 60)}`);
        expect(answer.body).not.toContain("root:");
        expect(JSON.parse(answer.body)).toMatchObject({ error: { code: "DOCUMENT_INVALID", line: 1 } });
      }
    }
    expect(fetched).toBe(0);
    expect(await (await ask(serving, `/vinnsl/${id}`)).text()).toBe(before);
    await stillWell(serving);
  });

  it("of JSON that are too deep, say a key twice, or reach behind objects are refused with their place", async () => {
    const serving = await startServing({ workers: 0 });
    const bombs: readonly (readonly [body: string, path: RegExp | null])[] = [
      ["[".repeat(1_000_000), null],
      ['{"a":'.repeat(200_000), /^\/vinnsl\/a/],
      [`{"definition":${'{"a":'.repeat(150)}1${"}".repeat(151)}`, /^\/vinnsl\/definition\/a/],
      ['{"definition":{"data":{}, "data":{}}}', /^\/vinnsl\/definition\/data$/],
      ['{"__proto__":{"polluted":1}}', /^\/vinnsl/],
      ['{"definition":{"constructor":{"prototype":{"polluted":1}}}}', /^\/vinnsl\/definition/],
      ['{"definition":{"structure":{"__proto__":{"size":4}}}}', /^\/vinnsl\/definition\/structure/],
      [`{"definition":{"parameters":{"valueparameter":[${'{"name":"a","value":1},'.repeat(50_000)}1]}}}`, /^\/vinnsl\/definition/],
      [`{"definition":{"x":${"9".repeat(1_000_000)}}}`, /^\/vinnsl\/definition/],
      [`{"definition":{"structure":{"input":{"size":1e309}}}}`, /^\/vinnsl\/definition\/structure\/input\/size$/],
      ["{}{}", null],
      ["\u0000", null],
    ]; // biome-ignore format: a table
    for (const [body, path] of bombs) {
      const answer = await rawRequest(serving.url, { method: "POST", path: "/vinnsl", headers: JSON_TYPE, body });
      expectRefusal(answer, [400], body.slice(0, 60));
      const { error } = JSON.parse(answer.body) as { error: { path: string | null } };
      if (path === null) expect(error.path, body.slice(0, 60)).toBeNull();
      else expect(error.path, body.slice(0, 60)).toMatch(path);
      expect(answer.body.length).toBeLessThan(20_000);
    }
    expect(await askJson(serving, "/status")).toEqual({});
    await stillWell(serving);
  });
});

describe("sizes", () => {
  it("beyond what a body, a file or all files may have are refused, announced or not, and nothing of them is kept", async () => {
    const serving = await startServing({ workers: 0, args: ["--max-file=0.001", "--quota=0.0015"] });
    const MiB = "x".repeat(2 ** 20);
    const chunked = { "transfer-encoding": "chunked", "content-length": undefined };
    const chunks = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;
    const long = `<vinnsl><!--${MiB.repeat(3)}--></vinnsl>`;
    for (const path of ["/vinnsl", `/vinnsl/${UNKNOWN}/definition`, `/dl4j/${UNKNOWN}`]) {
      const method = path === "/vinnsl" ? "POST" : "PUT";
      const headers = path.startsWith("/dl4j") ? JSON_TYPE : XML;
      for (const [body, more] of [
        [long, {}],
        [chunks(long), chunked],
      ] as const) {
        const answer = await rawRequest(serving.url, { method, path, headers: { ...headers, ...more }, body });
        expectRefusal(answer, [413], `${method} ${path} ${JSON.stringify(more)}`);
      }
    }
    const command = await rawRequest(serving.url, { method: "POST", path: `/vinnsl/${UNKNOWN}/train`, body: MiB });
    expectRefusal(command, [413], "POST train with a body");
    const { body, ...upload } = form('; name="file"; filename="big.csv"', MiB.repeat(2));
    expectRefusal(await rawRequest(serving.url, { ...upload, body }), [413], "a large file");
    const unannounced = { ...upload, headers: { ...upload.headers, ...chunked }, body: chunks(body.toString()) };
    expectRefusal(await rawRequest(serving.url, unannounced), [413], "a large file, unannounced");
    const lie = { ...upload, headers: { ...upload.headers, "content-length": "99999999999999999999" } };
    expectRefusal(await rawRequest(serving.url, lie), [400, 413], "an absurd length");
    expect(await storedFiles(serving)).toEqual([]);

    const some = (name: string, letter: string) => form(`; name="file"; filename="${name}"`, letter.repeat(900_000));
    expect((await rawRequest(serving.url, some("one.csv", "1"))).status).toBe(200);
    expectRefusal(await rawRequest(serving.url, some("two.csv", "2")), [507], "more than all files may have");
    expect((await storedFiles(serving)).map(({ name }) => name)).toEqual(["one.csv"]);
    const places = await readdir(join(serving.dataDirectory, "incoming"));
    expect(places).toEqual([]);
    await stillWell(serving);
  });

  it("of messages that can be read in two ways are refused", async () => {
    const serving = await startServing({ workers: 0 });
    const both =
      "POST /vinnsl HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n";
    const twice = "POST /vinnsl HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello";
    const folded = "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\r\n b\r\nTransfer-Encoding : chunked\r\n\r\n";
    const noHost = "GET /health HTTP/1.1\r\n\r\n";
    const nonsense = "\u0016\u0003\u0001 not http\r\n\r\n";
    for (const text of [both, twice, folded, noHost, nonsense]) {
      const answer = await rawExchange(serving.url, [Buffer.from(text, "latin1")]);
      expect({ text, status: answer.status }).toEqual({ text, status: 400 });
      expect(answer.body.match(/HTTP\/1\.1/g) ?? []).toEqual([]);
    }
    const headers = { "x-long": "x".repeat(20_000) };
    expectRefusal(await rawRequest(serving.url, { path: "/health", headers }), [431], "long headers");
    await stillWell(serving);
  });

  it("and slowness of some clients don't keep the others out", async () => {
    const serving = await startServing({ workers: 0 });
    for (let count = 0; count < 200; count++) {
      const socket = openConnection(serving.url);
      if (count % 4 === 0) socket.write("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ");
      else if (count % 4 === 1)
        socket.write(
          "POST /vinnsl HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/xml\r\nContent-Length: 99999\r\n\r\n<",
        );
      else if (count % 4 === 2) {
        const { headers, body } = form('; name="file"; filename="slow.csv"', "1,2,3");
        const head = `Host: 127.0.0.1\r\nContent-Type: ${headers?.["content-type"]}\r\nContent-Length: 1000000\r\n\r\n`;
        socket.write(`POST /storage/upload HTTP/1.1\r\n${head}`);
        socket.write(body.subarray(0, 90));
      }
    }
    const id = await post(serving, await exampleXml(ROOT, "iris"));
    expect(await askJson(serving, "/status")).toEqual({ [id]: "CREATED" });
    expect((await rawRequest(serving.url, form('; name="file"; filename="a.csv"', "1,2"))).status).toBe(200);
    expect((await storedFiles(serving)).map(({ name }) => name)).toEqual(["a.csv"]);
    expect(await askJson(serving, "/health")).toMatchObject({ status: "ok" });
  });

  it("a flood of event streams is bounded, and leaves room for everything else", async () => {
    const serving = await startServing({ workers: 0 });
    const id = await post(serving, await exampleXml(ROOT, "iris"));
    const statuses = await Promise.all(
      Array.from({ length: 540 }, () => {
        const socket = openConnection(serving.url);
        socket.write(`GET /vinnsl/${id}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
        return new Promise<number>((resolve) => {
          socket.once("data", (piece: Buffer) => resolve(Number(piece.toString("latin1").split(" ")[1])));
        });
      }),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(512);
    expect(statuses.filter((status) => status === 503)).toHaveLength(28);
    expect(await askJson(serving, "/health")).toMatchObject({ status: "ok" });
    expect(await stopServing(serving)).toBe(0);
  });
});

describe("tokens", () => {
  it("every documented operation but /health refuses whoever has none, a wrong one, or one for reading where it writes", async () => {
    const serving = await startServing({ workers: 0, args: ["--token=the-writer", "--read-token=the-reader"] });
    const all = await operations(serving);
    expect(all.length).toBeGreaterThan(30);
    expect(all.filter(({ isPublic }) => isPublic).map(({ name }) => name)).toEqual(["GET /health"]);
    const wrong = [
      "Bearer wrong",
      "Bearer ",
      "Bearer the-writer2",
      "Bearer the-write",
      "Basic dGhlLXdyaXRlcjo=",
      "the-writer",
      "Bearer the-writer the-writer",
      "Bearer THE-WRITER",
    ];
    for (const { method, path, name } of all.filter(({ isPublic }) => !isPublic)) {
      const request = { method, path, ...(method === "GET" ? {} : { body: "<x/>", headers: XML }) };
      const denied = async (headers: Record<string, string>, status: number, about: string) => {
        const answer = await rawRequest(serving.url, { ...request, headers: { ...request.headers, ...headers } });
        expectRefusal(answer, [status], `${name} ${about}`);
        expect(answer.headers.get("www-authenticate"), name).toMatch(/^Bearer realm="ringstrasse"/);
        expect(answer.body).not.toMatch(/the-(writer|reader)/);
      };
      await denied({}, 401, "without a token");
      await denied(
        { authorization: wrong[all.findIndex((each) => each.name === name) % wrong.length] ?? "" },
        401,
        "with a wrong one",
      );
      if (method !== "GET") await denied({ authorization: "Bearer the-reader" }, 403, "with the reader's");
      const inQuery = await rawRequest(serving.url, {
        ...request,
        path: `${path}?token=the-writer&access_token=the-writer`,
      });
      expectRefusal(inQuery, [401], `${name} with the token in its query`);
      if (method === "GET") expect((await rawRequest(serving.url, { method: "HEAD", path })).status, name).toBe(401);
    }
    for (const authorization of wrong) {
      const answer = await rawRequest(serving.url, { path: "/vinnsl", headers: { authorization } });
      expectRefusal(answer, [401], authorization);
    }
    expect((await ask(serving, "/vinnsl", { token: "the-reader" })).status).toBe(200);
    expect(await askJson(serving, "/status", { token: "the-writer" })).toEqual({});
    await stillWell(serving);
  });
});

describe("pages of elsewhere, and a server without a token", () => {
  it("foreign names and foreign origins are refused by every operation, and nothing changes", async () => {
    const serving = await startServing({ workers: 0 });
    const id = await post(serving, await exampleXml(ROOT, "iris"));
    const { port } = new URL(serving.url);
    const hosts = [
      "evil.example",
      `evil.example:${port}`,
      "127.0.0.1.evil.example",
      "localhost.evil.example",
      "0.0.0.0",
      "evil@127.0.0.1",
      "[::2]",
      "127.0.0.1 evil",
    ];
    const origins = [
      "http://evil.example",
      "null",
      "file://",
      "http://127.0.0.1:1",
      `https://localhost.evil.example:${port}`,
      "chrome-extension://a",
      "",
    ];
    for (const [number, { method, path: unknown, name }] of (await operations(serving)).entries()) {
      const path = unknown.replace(UNKNOWN, id);
      const request = { method, path, ...(method === "GET" ? {} : { body: "<x/>" }) };
      const host = hosts[number % hosts.length] ?? "";
      expectRefusal(
        await rawRequest(serving.url, { ...request, headers: { ...XML, host } }),
        [403, 400],
        `${name} as ${host}`,
      );
      if (method === "GET") continue;
      const origin = origins[number % origins.length] ?? "";
      expectRefusal(
        await rawRequest(serving.url, { ...request, headers: { ...XML, origin } }),
        [403],
        `${name} from ${origin}`,
      );
    }
    for (const host of hosts) {
      const answer = await rawRequest(serving.url, { path: "/status", headers: { host } });
      expectRefusal(answer, [403, 400], host);
    }
    for (const origin of origins) {
      const answer = await rawRequest(serving.url, {
        method: "DELETE",
        path: "/vinnsl/deleteall",
        headers: { origin },
      });
      expectRefusal(answer, [403], origin);
    }
    const preflight = { origin: "http://evil.example", "access-control-request-method": "DELETE" };
    const options = await rawRequest(serving.url, { method: "OPTIONS", path: `/vinnsl/${id}`, headers: preflight });
    expectRefusal(options, [403, 404, 405], "a preflight");
    const override = { "x-http-method-override": "DELETE", "x-method-override": "DELETE", "x-http-method": "DELETE" };
    for (const [method, path] of [
      ["GET", `/vinnsl/${id}?_method=DELETE`],
      ["POST", `/vinnsl/${id}?_method=DELETE`],
      ["POST", `/vinnsl/${id}/cancel`],
    ] as const) {
      await rawRequest(serving.url, {
        method,
        path,
        headers: override,
        ...(method === "POST" ? { body: "_method=DELETE" } : {}),
      });
    }
    expect(await askJson(serving, "/status")).toEqual({ [id]: "CREATED" });
    const forwarded = {
      "x-forwarded-host": "evil.example",
      "x-forwarded-proto": "https",
      forwarded: "host=evil.example",
      "x-original-url": "/status",
      "x-rewrite-url": "/status",
    };
    const created = await rawRequest(serving.url, {
      method: "POST",
      path: "/vinnsl",
      headers: { ...XML, ...forwarded },
      body: await exampleXml(ROOT, "iris"),
    });
    expect([created.status, created.headers.get("location")]).toEqual([
      201,
      expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/vinnsl\//),
    ]);
    await stillWell(serving);
  });

  it("every answer tells browsers to trust nothing, and files of users are never pages", async () => {
    const serving = await startServing({ workers: 0 });
    const page = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    const types = [
      "text/html",
      "image/svg+xml",
      "application/xhtml+xml",
      "text/javascript",
      "application/javascript",
      "text/xml",
      "application/xml",
      "TEXT/HTML; charset=utf-7",
      "text/css",
      "application/pdf",
      "application/x-shockwave-flash",
      "multipart/x-mixed-replace",
      "message/rfc822",
      "text/x-component",
      "",
      "a\tb",
    ];
    for (const type of types) await rawRequest(serving.url, form(`; name="file"; filename="page.html"`, page, type));
    const { files } = await askJson<{ files: string[] }>(serving, "/storage");
    expect(files.length).toBeGreaterThan(10);
    const id = await post(serving, await exampleXml(ROOT, "iris"));
    for (const fileId of files) {
      for (const path of [
        `/storage/files/${fileId}`,
        `/storage/files/${fileId}?download=true`,
        "/storage/files/name/page.html",
      ]) {
        const answer = await rawRequest(serving.url, { path });
        expect(answer.body).toBe(page);
        expectSecurityHeaders(answer, path);
        expect(answer.headers.get("content-type")).toMatch(/^(text\/plain; charset=utf-8|application\/octet-stream)$/);
        expect(answer.headers.get("content-security-policy")).toMatch(/^default-src 'none';.*sandbox/);
      }
    }
    for (const { method, path: unknown, name } of await operations(serving)) {
      if (method === "DELETE" || name.endsWith("/events")) continue;
      const path = unknown.replace(UNKNOWN, id);
      expectSecurityHeaders(
        await rawRequest(serving.url, { method, path, ...(method === "GET" ? {} : { body: "" }) }),
        name,
      );
      expectSecurityHeaders(await rawRequest(serving.url, { method: "PATCH", path, body: "" }), `PATCH ${path}`);
    }
    for (const path of ["/", "/docs", "/docs/json", "/docs/style.css", "/favicon.ico", "/%zz", "/nothing"]) {
      expectSecurityHeaders(await rawRequest(serving.url, { path }), path);
    }
    const [asset] = (await readdir(join(ROOT, "dist/coordinator/dashboard/assets"))).sort();
    const script = await rawRequest(serving.url, { path: `/assets/${asset}` });
    expect(script.body.length).toBe(
      (await readFile(join(ROOT, "dist/coordinator/dashboard/assets", asset ?? ""), "utf8")).length,
    );
    expectSecurityHeaders(script, `/assets/${asset}`);
    await stillWell(serving);
  });
});

describe("where it listens", () => {
  const places = [{ host: "localhost", at: "127.0.0.1" }, ...(HAS_IPV6 ? [{ host: "::1", at: "[::1]" }] : [])];
  it.each(places)("--host $host: clients and workers find it at $at", async ({ host, at }) => {
    const serving = await startServing({ workers: 1, args: [`--host=${host}`] });
    expect(serving.url.replace(/:\d+$/, "")).toBe(`http://${at}`);
    expect(serving.controlEndpoint.replace(/:\d+$/, "")).toBe(`tcp://${at}`);
    expect((await ask(serving, "/health")).status).toBe(200);
    const joined = async () => (await askJson<{ workers: readonly unknown[] }>(serving, "/cluster")).workers.length;
    await expect.poll(joined, { timeout: 60_000, interval: 200 }).toBe(1);
    expect(await stopServing(serving)).toBe(0);
  });

  it("a name that means nothing keeps it from starting, and says so", async () => {
    const args = [
      "serve",
      "--host=no-such-host.invalid",
      "--token=a-good-token",
      `--data-dir=${await temporaryDirectory()}`,
    ];
    const end = await startCommand(args).ended;
    expect(end.exitCode).toBe(4);
    expect(end.stderr).toContain("no-such-host.invalid: no such name is known here");
  });
});

describe("forms", () => {
  it("that are not one file in its field are refused, and nothing of them is kept", async () => {
    const serving = await startServing({ workers: 0 });
    const part = (disposition: string, content = "1,2") =>
      `--xyz\r\nContent-Disposition: form-data${disposition}\r\n\r\n${content}\r\n`;
    const good = part('; name="file"; filename="a.csv"');
    const bodies: Readonly<Record<string, string>> = {
      "no name": `${part('; name="file"; filename=""')}--xyz--\r\n`,
      "no field": `${part('; filename="a.csv"')}--xyz--\r\n`,
      "a text": `${part('; name="file"')}--xyz--\r\n`,
      "another field": `${part('; name="other"; filename="a.csv"')}--xyz--\r\n`,
      "two files": `${good}${good}--xyz--\r\n`,
      "a file and then another field's": `${good}${part('; name="b"; filename="b.csv"')}--xyz--\r\n`,
      "many fields": `${part('; name="a"').repeat(100)}${good}--xyz--\r\n`,
      "a long field": `${part('; name="a"', "x".repeat(100_000))}${good}--xyz--\r\n`,
      "a long head": `--xyz\r\nContent-Disposition: form-data; name="file"; filename="${"a".repeat(200_000)}"\r\n\r\n1\r\n--xyz--\r\n`,
      "no end": good,
      "an end in the middle": good.slice(0, 60),
      "no part": "--xyz--\r\n",
      nothing: "",
      "another boundary": good.replaceAll("xyz", "abc"),
      "no disposition": "--xyz\r\n\r\n1,2\r\n--xyz--\r\n",
      "a form in the form": `--xyz\r\nContent-Disposition: form-data; name="file"\r\nContent-Type: multipart/mixed; boundary=abc\r\n\r\n--abc\r\n\r\n1\r\n--abc--\r\n--xyz--\r\n`,
    }; // biome-ignore format: a table
    for (const [what, body] of Object.entries(bodies)) {
      for (const path of ["/storage/upload", "/storage"]) {
        const headers = { "content-type": "multipart/form-data; boundary=xyz" };
        expectRefusal(
          await rawRequest(serving.url, { method: "POST", path, headers, body }),
          [400, 413],
          `${what} at ${path}`,
        );
      }
    }
    const whole = `${good}--xyz--\r\n`;
    for (const type of [
      "multipart/form-data",
      "multipart/form-data; boundary=",
      "multipart/mixed; boundary=xyz",
      "text/csv",
      "application/json",
      undefined,
    ]) {
      const answer = await rawRequest(serving.url, {
        method: "POST",
        path: "/storage/upload",
        headers: { "content-type": type },
        body: whole,
      });
      expectRefusal(answer, [400, 415], `as ${type}`);
    }
    expect(await storedFiles(serving)).toEqual([]);
    const form = { "content-type": "multipart/form-data; boundary=xyz" };
    expect(
      (await rawRequest(serving.url, { method: "POST", path: "/storage/upload", headers: form, body: whole })).status,
    ).toBe(200);
    await stillWell(serving);
  });
});
