import { isIP } from "node:net";
import { networkInterfaces } from "node:os";

/** Interfaces of this host, as `os.networkInterfaces()` gives them. */
type Interfaces = ReturnType<typeof networkInterfaces>;

const WILDCARDS = ["0.0.0.0", "::"];

/**
 * The address under which workers of this host are reached by those of others, for a server that listens at `host`: that address
 * itself, or for a wildcard the first of an interface that leads out. A server that only this host reaches has no others.
 */
export function ringAddress(host: string, interfaces: Interfaces = networkInterfaces()): string {
  if (!WILDCARDS.includes(host)) return isIP(host) === 6 ? `[${host}]` : host;
  const outward = Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, family }) => !internal && family === "IPv4");
  return outward?.address ?? "127.0.0.1";
}
