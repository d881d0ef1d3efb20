import { hostname, networkInterfaces } from "node:os";
import { RingstrasseError } from "../failure.js";
import { interfaceAddress } from "./interface-address.js";
import { isLoopback } from "./is-loopback.js";
import { ringAddress } from "./ring-address.js";

/**
 * The address by which other hosts reach this one: of the interface that the user names, else of the first that leads out.
 * @throws RingstrasseError USAGE for an interface that isn't there, or when nothing leads out
 */
export function outwardAddress(interfaceName: string | null, interfaces = networkInterfaces()): string {
  const address =
    interfaceName === null
      ? ringAddress("0.0.0.0", interfaces)
      : interfaceAddress(interfaceName, hostname(), interfaces);
  refuseLoopback(address, interfaceName === null ? "its only address" : `the address of ${interfaceName}`);
  return address;
}

/** A world of several hosts can't meet at an address that is each host itself. @throws RingstrasseError USAGE */
export function refuseLoopback(address: string, what: string): void {
  if (!isLoopback(address)) return;
  const problem = `${what} on ${hostname()} is ${address}, which no other host reaches`;
  const remedy = "Name an interface that leads to the other hosts, e.g. --interface eth0";
  throw new RingstrasseError({ code: "USAGE", option: "--interface", problem, remedy });
}
