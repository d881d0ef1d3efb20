import { readFileSync } from "node:fs";
import { rootCertificates } from "node:tls";
import { EnvHttpProxyAgent, fetch } from "undici";
import type { EnvironmentVariables } from "../../shared/engine-store/engine-directory.js";

export interface HttpResponse {
  readonly status: number;
  /** Of the address that answered in the end. */
  readonly url: string;
  /** A header's value; null: it isn't there. */
  header(name: string): string | null;
  /** To be read once; ends with an error when the connection breaks. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Lets go of the connection without reading the body. */
  discard(): Promise<void>;
  text(): Promise<string>;
}

export interface HttpRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** GET requests, redirects followed. Several at a time. */
export interface HttpClient extends AsyncDisposable {
  /** @throws TypeError when there is no answer; its causes say why. */
  get(url: string, request: HttpRequest): Promise<HttpResponse>;
}

const TIMEOUTS = {
  connect: { timeout: 20_000 },
  /** Mirrors may have to fetch a file themselves first. */
  headersTimeout: 120_000,
  /** Between two pieces of a body. */
  bodyTimeout: 60_000,
} as const;

/**
 * undici, going through the proxies that `http_proxy`, `https_proxy` and `no_proxy` name, trusting `certificates` (PEM files) beside
 * those that Node trusts, of `NODE_EXTRA_CA_CERTS` too.
 * @throws system errors of certificate files
 */
export function openHttpClient(environment: EnvironmentVariables, certificates: readonly string[]): HttpClient {
  // A list of one's own replaces Node's, with what its variable has added to it.
  const trusted = [...rootCertificates, ...extraOfNode(environment), ...pemFiles(certificates)];
  const ca = certificates.length === 0 ? {} : { ca: trusted };
  const proxy = (name: string): string | undefined => environment[name] || environment[name.toUpperCase()] || undefined;
  const [httpProxy, httpsProxy, noProxy] = [proxy("http_proxy"), proxy("https_proxy"), proxy("no_proxy")];
  const agent = new EnvHttpProxyAgent({
    ...TIMEOUTS,
    connect: { ...TIMEOUTS.connect, ...ca },
    requestTls: ca,
    ...(httpProxy === undefined ? {} : { httpProxy }),
    ...(httpsProxy === undefined ? {} : { httpsProxy }),
    ...(noProxy === undefined ? {} : { noProxy }),
  });
  return {
    get: async (url, { headers, signal }) => {
      const response = await fetch(url, { dispatcher: agent, headers, signal, redirect: "follow" });
      return {
        status: response.status,
        url: response.url,
        header: (name) => response.headers.get(name),
        body: response.body ?? noBody(),
        discard: async () => await response.body?.cancel(),
        text: () => response.text(),
      };
    },
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}

async function* noBody(): AsyncGenerator<Uint8Array> {
  // A response without a body has nothing to give.
}

function pemFiles(paths: readonly string[]): string[] {
  return paths.map((path) => readFileSync(path, "utf8"));
}

function extraOfNode(environment: EnvironmentVariables): string[] {
  const path = environment["NODE_EXTRA_CA_CERTS"];
  if (path === undefined || path === "") return [];
  try {
    return pemFiles([path]);
  } catch {
    // Node itself has warned of it at its start, and does without.
    return [];
  }
}

/** The innermost cause of a failed request, in words. */
export function describeNetworkError(thrown: unknown): string {
  let inner: unknown = thrown;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  if (inner instanceof AggregateError && inner.errors.length > 0) return describeNetworkError(inner.errors[0]);
  return inner instanceof Error ? inner.message || inner.name : String(inner);
}

/** Of the codes that Node and OpenSSL's verification give; not all have `CERT` in their names. */
const CERTIFICATE_CODE =
  /CERT|_TLS_|SELF_SIGNED|LEAF_SIGNATURE|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH/;

/** Whether the other side could not prove who it is: asking again doesn't help. */
export function isCertificateError(thrown: unknown): boolean {
  for (let inner: unknown = thrown; inner instanceof Error; inner = inner.cause) {
    if ("code" in inner && typeof inner.code === "string" && CERTIFICATE_CODE.test(inner.code)) return true;
  }
  return false;
}
