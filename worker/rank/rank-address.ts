import { hostname } from "node:os";
import { RingstrasseError } from "../../shared/failure.js";
import { localAddressTowards } from "../../shared/transport/local-address-towards.js";
import { outwardAddress } from "../../shared/transport/outward-address.js";
import { ringAddress } from "../../shared/transport/ring-address.js";

/**
 * Where the sockets of other hosts' ranks reach this one: by the interface that the user names, else by this host's address on the way to
 * rank 0, which all can take. The first address that leads out may be one of a network that every host has for itself.
 * @param interfaceName null: the user names none
 * @param rankZero address of rank 0's host, where it says to meet; IPv6 in brackets
 * @throws RingstrasseError USAGE for an interface that isn't there, ENDPOINT_UNAVAILABLE when no way is known
 */
export async function rankAddress(interfaceName: string | null, rankZero: string): Promise<string> {
  if (interfaceName !== null) return outwardAddress(interfaceName);
  try {
    return ringAddress(await localAddressTowards(rankZero.replaceAll(/^\[|\]$/g, "")));
  } catch (cause) {
    const problem = `${hostname()} knows no way to rank 0 (${cause instanceof Error ? cause.message : String(cause)})`;
    const remedy = "Choose the network of all ranks by --interface NAME, or rank 0's address by --host ADDRESS";
    throw new RingstrasseError({ code: "ENDPOINT_UNAVAILABLE", endpoint: rankZero, problem, remedy }, { cause });
  }
}
