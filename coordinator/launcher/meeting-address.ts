import { lookup } from "node:dns/promises";
import { networkInterfaces } from "node:os";
import { RingstrasseError } from "../../shared/failure.js";
import { hasMpi, type LaunchedPlace } from "../../shared/launch/launched-place.js";
import { meetingPlace } from "../../shared/launch/meeting-place.js";
import { hostAddress } from "../../shared/transport/host-address.js";
import { isLoopback } from "../../shared/transport/is-loopback.js";
import { localAddressTowards } from "../../shared/transport/local-address-towards.js";
import { outwardAddress, refuseLoopback } from "../../shared/transport/outward-address.js";
import { ringAddress } from "../../shared/transport/ring-address.js";

/** What the user says about it; undefined: nothing. */
export interface AddressWish {
  readonly host?: string | undefined;
  readonly interface?: string | undefined;
}

/**
 * Where ranks on other hosts reach this one, which is rank 0's: as the user says, else this host's address on the way to its peers,
 * as far as the launcher tells them. Never one that is each host itself.
 * @throws RingstrasseError USAGE, ENDPOINT_UNAVAILABLE
 */
export async function meetingAddress(
  wish: AddressWish,
  place: LaunchedPlace,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  if (wish.interface !== undefined) return outwardAddress(wish.interface);
  if (wish.host !== undefined) {
    const address = ringAddress(await hostAddress(wish.host));
    refuseLoopback(address, "--host");
    return address;
  }
  if (hasMpi(place.launcher)) return outwardAddress(null);
  const { host, peer } = meetingPlace(place, environment);
  if (peer !== null) return await addressTowards(peer);
  return (host === null ? null : await ownAddress(host)) ?? outwardAddress(null);
}

async function addressTowards(peer: string): Promise<string> {
  let problem: string;
  try {
    const { address } = await lookup(peer, { family: 4 });
    const own = isLoopback(address) ? address : await localAddressTowards(address);
    if (!isLoopback(own)) return own;
    problem = `${peer} means ${address} here, which is this host itself`;
  } catch (cause) {
    problem = `no way to ${peer} is known here (${cause instanceof Error ? cause.message : String(cause)})`;
  }
  const remedy = `Give ${peer} its outward address in this host's /etc/hosts or DNS, or choose by --interface NAME or --host ADDRESS`;
  throw new RingstrasseError({ code: "ENDPOINT_UNAVAILABLE", endpoint: peer, problem, remedy });
}

/** The address that `host` means, when it is one of this host's that others reach; null otherwise. */
async function ownAddress(host: string): Promise<string | null> {
  const all = await lookup(host, { family: 4, all: true }).catch(() => []);
  const own = Object.values(networkInterfaces()).flatMap((each) => each?.map(({ address }) => address) ?? []);
  return all.find(({ address }) => own.includes(address) && !isLoopback(address))?.address ?? null;
}
