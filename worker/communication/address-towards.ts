import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { RingstrasseError } from "../../shared/failure.js";
import { localAddressTowards } from "../../shared/transport/local-address-towards.js";
import { ringAddress } from "../../shared/transport/ring-address.js";

/** Nothing leads out of this host by it. */
const LOOPBACK = "127.0.0.1";

/**
 * This host's address on the way to the coordinator: workers that reach the coordinator by the same network reach each other by it.
 * @param coordinatorEndpoint `tcp://HOST:PORT`, by name or address, IPv4 or IPv6; a unix socket is on this host
 * @throws RingstrasseError ENDPOINT_UNAVAILABLE when no way is known
 */
export async function addressTowards(coordinatorEndpoint: string): Promise<string> {
  if (!coordinatorEndpoint.startsWith("tcp:")) return LOOPBACK;
  const host = new URL(coordinatorEndpoint).hostname.replace(/^\[|\]$/g, "");
  try {
    const { address } = await lookup(host, { family: isIP(host) === 6 ? 6 : 4 });
    return ringAddress(await localAddressTowards(address));
  } catch (cause) {
    const problem = `no way to ${host} is known here (${cause instanceof Error ? cause.message : String(cause)})`;
    const remedy = "Give --address, by which the other workers reach this host";
    throw new RingstrasseError({ code: "ENDPOINT_UNAVAILABLE", endpoint: coordinatorEndpoint, problem, remedy });
  }
}
