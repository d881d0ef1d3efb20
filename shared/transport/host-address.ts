import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { RingstrasseError } from "../failure.js";

/** Interfaces of this host, as `os.networkInterfaces()` gives them. */
type Interfaces = ReturnType<typeof networkInterfaces>;

/**
 * The address that a user means by the name of a host, or of one of this host's interfaces: ZeroMQ listens at addresses alone. IPv4, where there is
 * one. An address is itself.
 * @throws RingstrasseError ENDPOINT_UNAVAILABLE for a name that means nothing here
 */
export async function hostAddress(host: string, interfaces: Interfaces = networkInterfaces()): Promise<string> {
  // As in endpoints and URLs.
  const address = host.replace(/^\[(.*)\]$/, "$1");
  if (isIP(address) !== 0) return address;
  const own = interfaces[host] ?? [];
  const [found] = [...own.filter(({ family }) => family === "IPv4"), ...own];
  if (found !== undefined) return found.address;
  try {
    return (await lookup(host, { order: "ipv4first" })).address;
  } catch (cause) {
    const problem = `no such name is known here (${cause instanceof Error ? cause.message : String(cause)})`;
    const remedy =
      "Give an address of this host, a name that its /etc/hosts or DNS knows, or 0.0.0.0 for all addresses";
    throw new RingstrasseError({ code: "ENDPOINT_UNAVAILABLE", endpoint: host, problem, remedy }, { cause });
  }
}

/** @param address IPv4, or IPv6 without brackets. @param port 0: any free one */
export function tcpEndpoint(address: string, port: number): string {
  return `tcp://${isIP(address) === 6 ? `[${address}]` : address}:${port}`;
}

/** Whether an endpoint's address is one of IPv6: sockets have to be told before. */
export function isIpv6Endpoint(endpoint: string): boolean {
  return endpoint.startsWith("tcp://[");
}
