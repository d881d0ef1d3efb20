import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import type { PackageSource } from "../../coordinator/engines/package-source.js";
import type { RegistryAddresses } from "../../coordinator/engines/registry-addresses.js";

/** A file that the server has; `source` describes it as a recipe does. */
export interface ServedFile {
  readonly source: PackageSource;
  readonly bytes: Uint8Array;
}

/** What the server does with one request for a file instead of sending it; `send`: nothing special. */
export type Misbehaviour = (request: IncomingMessage, response: ServerResponse, file: ServedFile) => "send" | "done";

export interface RegistryServer {
  readonly url: string;
  readonly registries: RegistryAddresses;
  /** Requests for files so far, with their `range` header. */
  readonly downloads: { readonly file: string; readonly range: string | null }[];
  /** What happens to each request for a file from now on. */
  misbehave(how: Misbehaviour): void;
  /** What the index pages say instead. */
  answerIndex(how: (request: IncomingMessage, response: ServerResponse) => "send" | "done"): void;
}

/** Describes bytes as a registry does. */
export function sourceOf(
  given: Pick<PackageSource, "registry" | "package" | "file" | "take">,
  bytes: Uint8Array,
): PackageSource {
  const hash =
    given.registry === "pypi"
      ? `sha256-${createHash("sha256").update(bytes).digest("hex")}`
      : `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
  return { ...given, version: "1.0.0", sizeBytes: bytes.byteLength, hash };
}

/** A Python index (under /simple) and an npm registry (under /npm) on loopback, closed when the test finishes. */
export async function serveRegistries(files: readonly ServedFile[]): Promise<RegistryServer> {
  const downloads: { file: string; range: string | null }[] = [];
  let misbehaviour: Misbehaviour = () => "send";
  let index: (request: IncomingMessage, response: ServerResponse) => "send" | "done" = () => "send";
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://host").pathname);
    const file = files.find(({ source }) => path === `/files/${source.file}`);
    if (file === undefined) {
      if (index(request, response) === "send") sendIndex(path, files, response);
      return;
    }
    downloads.push({ file: file.source.file, range: request.headers.range ?? null });
    if (misbehaviour(request, response, file) === "send") sendFile(request, response, file.bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const address = (path: string) => ({ url: `${url}/${path}`, authorization: null, from: "test" });
  return {
    url,
    registries: { npm: () => address("npm"), pypi: address("simple"), certificates: [] },
    downloads,
    misbehave: (how) => {
      misbehaviour = how;
    },
    answerIndex: (how) => {
      index = how;
    },
  };
}

/** Sends a file, or the rest of it that is asked for. */
export function sendFile(request: IncomingMessage, response: ServerResponse, bytes: Uint8Array): void {
  const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? "") ?? [];
  const start = from === undefined ? 0 : Number(from);
  if (start > 0)
    response.writeHead(206, { "content-range": `bytes ${start}-${bytes.byteLength - 1}/${bytes.byteLength}` });
  response.end(bytes.subarray(start));
}

function sendIndex(path: string, files: readonly ServedFile[], response: ServerResponse): void {
  const [, registry, name = ""] = /^\/(simple|npm)\/(.+?)\/?$/.exec(path) ?? [];
  const found = files.filter(({ source }) => source.package === name);
  if (found.length === 0) {
    response.writeHead(404).end();
  } else if (registry === "simple") {
    const links = found.map(({ source: { file, hash } }) => {
      return `<a href="../../files/${file}#sha256=${hash.slice("sha256-".length)}">${file}</a>`;
    });
    response.end(`<!DOCTYPE html><html><body>${links.join("<br/>")}</body></html>`);
  } else {
    const versions = found.map(({ source: { version, file, hash } }) => {
      const tarball = `http://${response.req.headers.host}/files/${file}`;
      return [version, { dist: { tarball, integrity: hash } }];
    });
    response.end(JSON.stringify({ name, versions: Object.fromEntries(versions) }));
  }
}
