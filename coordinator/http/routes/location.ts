import type { FastifyRequest } from "fastify";

/**
 * Where `path` is for the client: under the name that the server is known by, else the one that the request used, else (it used none
 * that can stand in an address) relative to it. Pure.
 */
export function locationOf(
  path: string,
  { protocol, headers }: Pick<FastifyRequest, "protocol" | "headers">,
  { publicOrigin }: { readonly publicOrigin: string | null },
): string {
  if (publicOrigin !== null) return `${publicOrigin}${path}`;
  const isName = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/.test(headers.host ?? "");
  return isName ? `${protocol}://${headers.host}${path}` : path;
}
