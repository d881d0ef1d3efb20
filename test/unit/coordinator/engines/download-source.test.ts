import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Download, downloadSource, partPath } from "../../../../coordinator/engines/download-source.js";
import { openHttpClient } from "../../../../coordinator/engines/http-client.js";
import { locateSource } from "../../../../coordinator/engines/locate-source.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { type RegistryServer, sendFile, serveRegistries, sourceOf } from "../../../support/registry-server.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const BYTES = randomBytes(300_000);
const SOURCE = sourceOf({ registry: "pypi", package: "thing", file: "thing-1.0.0.whl", take: [] }, BYTES);
const RETRIES = { attempts: 3, firstPauseMs: 1 };

async function prepare(): Promise<{ server: RegistryServer; download: Download; part: string }> {
  const server = await serveRegistries([{ source: SOURCE, bytes: BYTES }]);
  const http = openHttpClient({}, []);
  onTestFinished(() => http[Symbol.asyncDispose]());
  const { signal } = new AbortController();
  const question = { engine: "tensorflow", http, registries: server.registries, retries: RETRIES, signal };
  const located = await locateSource(SOURCE, question);
  const directory = await temporaryDirectory();
  const download = { engine: "tensorflow", located, directory, http, retries: RETRIES, signal, onProgress: () => null };
  return { server, download, part: partPath(directory, SOURCE.hash) };
}

/** The connection breaks after that many bytes of the answer. */
function breakOff(server: RegistryServer, bytes: number, times: number): void {
  let left = times;
  server.misbehave((request, response, file) => {
    if (left === 0) return "send";
    left -= 1;
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const total = file.bytes.byteLength;
    if (start > 0) response.writeHead(206, { "content-range": `bytes ${start}-${total - 1}/${total}` });
    response.write(file.bytes.subarray(start, start + bytes), () => response.destroy());
    return "done";
  });
}

describe("a download", () => {
  it("brings the file", async () => {
    const { download, part } = await prepare();
    expect(await downloadSource(download)).toEqual({ path: part, transferredBytes: BYTES.byteLength });
    expect((await readFile(part)).equals(BYTES)).toBe(true);
  });

  it("goes on after each break, more often than a server may fail in a row", async () => {
    const { server, download, part } = await prepare();
    breakOff(server, 40_000, 6);
    expect((await downloadSource(download)).transferredBytes).toBe(BYTES.byteLength);
    expect((await readFile(part)).equals(BYTES)).toBe(true);
    expect(server.downloads.map(({ range }) => range)).toEqual([
      null,
      ...[1, 2, 3, 4, 5, 6].map((count) => `bytes=${count * 40_000}-`),
    ]);
  });

  it("starts over where the server ignores ranges", async () => {
    const { server, download, part } = await prepare();
    await writeFile(part, BYTES.subarray(0, 1000));
    server.misbehave((_request, response, { bytes }) => {
      response.end(bytes);
      return "done";
    });
    expect((await downloadSource(download)).transferredBytes).toBe(BYTES.byteLength);
    expect(server.downloads).toEqual([{ file: SOURCE.file, range: "bytes=1000-" }]);
    expect((await readFile(part)).equals(BYTES)).toBe(true);
  });

  it("starts over when the server has another part or another file", async () => {
    for (const range of ["bytes 5-299999/300000", "bytes 1000-399999/400000", "nonsense"]) {
      const { server, download, part } = await prepare();
      await writeFile(part, BYTES.subarray(0, 1000));
      server.misbehave((request, response, { bytes }) => {
        if (request.headers.range === undefined) return "send";
        response.writeHead(206, { "content-range": range.replace("bytes 5-", "bytes 2000-") }).end(bytes.subarray(5));
        return "done";
      });
      await downloadSource(download);
      expect((await readFile(part)).equals(BYTES)).toBe(true);
      expect(server.downloads.map((one) => one.range)).toEqual(["bytes=1000-", null]);
    }
  });

  it("starts over when the range is refused or the part is too long", async () => {
    const { server, download, part } = await prepare();
    await writeFile(part, Buffer.concat([BYTES, BYTES]));
    await downloadSource(download);
    await writeFile(part, BYTES.subarray(0, 10));
    server.misbehave((request, response) => {
      if (request.headers.range === undefined) return "send";
      response.writeHead(416).end();
      return "done";
    });
    await downloadSource(download);
    expect((await readFile(part)).equals(BYTES)).toBe(true);
  });

  it("fetches anew what an earlier try left wrong", async () => {
    const { server, download, part } = await prepare();
    await writeFile(part, Buffer.alloc(BYTES.byteLength / 2));
    await downloadSource(download);
    expect((await readFile(part)).equals(BYTES)).toBe(true);
    expect(server.downloads.map(({ range }) => range)).toEqual(["bytes=150000-", null]);
  });

  it("does not transfer a complete part again", async () => {
    const { server, download, part } = await prepare();
    await writeFile(part, BYTES);
    expect((await downloadSource(download)).transferredBytes).toBe(0);
    expect(server.downloads).toEqual([]);
  });

  it("asks again after server errors, and honours retry-after", async () => {
    const { server, download } = await prepare();
    const statuses = [500, 503];
    server.misbehave((_request, response) => {
      const status = statuses.shift();
      if (status === undefined) return "send";
      response.writeHead(status, { "retry-after": "0" }).end("sorry");
      return "done";
    });
    expect((await downloadSource(download)).transferredBytes).toBe(BYTES.byteLength);
    expect(server.downloads).toHaveLength(3);
  });

  it("gives up after some errors in a row, keeping what it has", async () => {
    const { server, download, part } = await prepare();
    await writeFile(part, BYTES.subarray(0, 10));
    server.misbehave((_request, response) => {
      response.writeHead(503).end();
      return "done";
    });
    const refused = await failureWithCode("ENGINE_UNAVAILABLE", () => downloadSource(download));
    expect(refused.problem).toBe(`${download.located.url} answered with status 503`);
    expect(refused.remedy).toBe("Run the command again: it goes on where it stopped");
    expect(server.downloads).toHaveLength(3);
    expect(await readFile(part)).toHaveLength(10);
  });

  it("gives up at once where asking again is of no use", async () => {
    for (const [status, remedy] of [
      [404, "use another registry"],
      [403, "password or token"],
    ] as const) {
      const { server, download } = await prepare();
      server.misbehave((_request, response) => {
        response.writeHead(status).end();
        return "done";
      });
      const refused = await failureWithCode("ENGINE_UNAVAILABLE", () => downloadSource(download));
      expect(refused.problem).toBe(`${download.located.url} answered with status ${status}`);
      expect(refused.remedy).toContain(remedy);
      expect(server.downloads).toHaveLength(1);
    }
  });

  it("refuses a file with a wrong hash, and does not keep it", async () => {
    const { server, download, part } = await prepare();
    server.misbehave((_request, response, { bytes }) => {
      response.end(Buffer.alloc(bytes.byteLength, 7));
      return "done";
    });
    const refused = await failureWithCode("ENGINE_UNAVAILABLE", () => downloadSource(download));
    expect(refused.problem).toContain("is not the file that the registry describes: its sha256 differs");
    expect(refused.remedy).toContain("try another network or registry");
    await expect(readFile(part)).rejects.toThrow("ENOENT");
  });

  it("refuses a file that is too long", async () => {
    const { server, download } = await prepare();
    server.misbehave((_request, response, { bytes }) => {
      response.end(Buffer.concat([bytes, bytes]));
      return "done";
    });
    const refused = await failureWithCode("ENGINE_UNAVAILABLE", () => downloadSource(download));
    expect(refused.problem).toContain("is longer than the 300000 bytes of thing-1.0.0.whl");
  });

  it("follows redirects, keeping the range", async () => {
    const { server, download, part } = await prepare();
    await writeFile(part, BYTES.subarray(0, 1000));
    let redirected = false;
    server.misbehave((request, response, { bytes }) => {
      if (redirected) {
        sendFile(request, response, bytes);
      } else {
        redirected = true;
        response.writeHead(302, { location: `${download.located.url}?elsewhere` }).end();
      }
      return "done";
    });
    expect((await downloadSource(download)).transferredBytes).toBe(BYTES.byteLength - 1000);
    expect(server.downloads.map(({ range }) => range)).toEqual(["bytes=1000-", "bytes=1000-"]);
  });

  it("ends when it is interrupted in the middle of a piece", async () => {
    const { server, download, part } = await prepare();
    const abort = new AbortController();
    server.misbehave((_request, response, { bytes }) => {
      response.write(bytes.subarray(0, 5000));
      return "done";
    });
    const onProgress = (received: number): void => {
      if (received === 5000) abort.abort(new Error("enough"));
    };
    await expect(downloadSource({ ...download, signal: abort.signal, onProgress })).rejects.toThrow("enough");
    expect((await readFile(part)).equals(BYTES.subarray(0, 5000))).toBe(true);
  });
});

describe("asking a registry", () => {
  async function ask(change: (server: RegistryServer) => void, hash = SOURCE.hash) {
    const { server, download } = await prepare();
    change(server);
    const { http, signal } = download;
    const question = { engine: "tensorflow", http, registries: server.registries, retries: RETRIES, signal };
    return await failureWithCode("ENGINE_UNAVAILABLE", () => locateSource({ ...SOURCE, hash }, question));
  }

  it("refuses a file that has another hash there", async () => {
    const other = `sha256-${"0".repeat(64)}`;
    const refused = await ask(() => null, other);
    expect(refused.problem).toContain(`has another thing-1.0.0.whl than this version was made for (${SOURCE.hash}`);
  });

  it("says what is wrong with an index, and how to name another", async () => {
    const answer = (status: number, text: string) => (server: RegistryServer) =>
      server.answerIndex((_request, response) => {
        response.writeHead(status).end(text);
        return "done";
      });
    const cases = [
      [answer(200, "hello"), "is no page of a package registry"],
      [answer(200, "<html></html>"), "does not list thing-1.0.0.whl (thing 1.0.0)"],
      [answer(404, ""), "/simple/thing/ answered with status 404"],
      [answer(502, ""), "/simple/thing/ answered with status 502"],
    ] as const;
    for (const [change, problem] of cases) {
      const refused = await ask(change);
      expect(refused.problem).toContain(problem);
      expect(refused.remedy).toContain("PIP_INDEX_URL or pip.conf");
    }
  });

  it("names a registry that can't be reached", async () => {
    const { download } = await prepare();
    const gone = { url: "http://127.0.0.1:9/simple", authorization: null, from: "default" };
    const registries = { npm: () => gone, pypi: gone, certificates: [] };
    const question = { ...download, registries };
    const refused = await failureWithCode("ENGINE_UNAVAILABLE", () => locateSource(SOURCE, question));
    expect(refused.problem).toMatch(/^http:\/\/127\.0\.0\.1:9\/simple\/thing\/ can't be reached \(.+\)$/);
    expect(refused.remedy).toContain("Check the network; another index than http://127.0.0.1:9/simple (the default)");
  });

  it("sends secrets to the registry's own address only", async () => {
    const { server, download } = await prepare();
    const address = { url: `${server.url}/simple`, authorization: "Basic abc", from: "test" };
    const seen: (string | undefined)[] = [];
    server.answerIndex((request, response) => {
      seen.push(request.headers.authorization);
      const link = `http://localhost:1/files/${SOURCE.file}#${SOURCE.hash.replace("-", "=")}`;
      response.end(`<a href="${link}">${SOURCE.file}</a>`);
      return "done";
    });
    const registries = { npm: () => address, pypi: address, certificates: [] };
    const located = await locateSource(SOURCE, { ...download, registries });
    expect(seen).toEqual(["Basic abc"]);
    expect(located.authorization).toBeNull();
  });
});
