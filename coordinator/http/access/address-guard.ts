import type { HttpTokens } from "../http-app.js";
import { HttpRefusal } from "../http-refusal.js";

/** How a request came. */
export interface RequestAddress {
  readonly method: string;
  /** As the headers of these names have them. */
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** The address of this server that it came to; absent where there is none. */
  readonly localAddress: string | undefined;
}

const LOOPBACK_NAMES: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

/**
 * Protects a server without tokens, which trusts whoever reaches it, from web pages that are open on the same machine: a foreign name
 * that was made to point here (DNS rebinding) is refused, and so is a write that a page of another origin sends. Pure.
 * @throws HttpRefusal 403
 */
export function checkAddress(
  address: RequestAddress,
  { tokens, publicOrigin }: { readonly tokens: HttpTokens; readonly publicOrigin: string | null },
): void {
  if (tokens.read !== null || tokens.write !== null) return;
  const { method, host, origin, localAddress } = address;
  const names = [...LOOPBACK_NAMES, hostNameOfAddress(localAddress), hostNameOf(publicOrigin)];
  // Nothing but a name and a port: what stands before an @, say, would be left out as a user's name.
  const name = host !== undefined && /^[\w.:[\]-]+$/.test(host) ? hostNameOf(`http://${host}`) : null;
  if (name === null || !names.includes(name)) {
    throw forbidden(
      `this server has no token and does not answer under the name ${JSON.stringify((host ?? "").slice(0, 100))}`,
      "Use its address, or start it with a token",
    );
  }
  const isRead = method === "GET" || method === "HEAD";
  if (isRead || origin === undefined || isOwnOrigin(origin, host, publicOrigin)) return;
  throw forbidden(
    `a page of ${JSON.stringify(origin.slice(0, 100))} may not write here`,
    "Use the server's own page, or start the server with a token",
  );
}

/** Whatever the scheme: something in between may speak TLS. */
function isOwnOrigin(origin: string, host: string | undefined, publicOrigin: string | null): boolean {
  const from = parse(origin)?.host;
  return from !== undefined && (from === parse(`http://${host}`)?.host || from === parse(publicOrigin)?.host);
}

function hostNameOf(origin: string | null): string | null {
  return parse(origin)?.hostname ?? null;
}

function hostNameOfAddress(address: string | undefined): string | null {
  if (address === undefined) return null;
  const plain = address.replace(/^::ffff:(?=\d+\.)/, "");
  return hostNameOf(plain.includes(":") ? `http://[${plain.replace(/%.*$/, "")}]` : `http://${plain}`);
}

function parse(origin: string | null): URL | null {
  return origin !== null && URL.canParse(origin) ? new URL(origin) : null;
}

function forbidden(problem: string, remedy: string): HttpRefusal {
  return new HttpRefusal({ status: 403, code: "FORBIDDEN", problem, remedy });
}
