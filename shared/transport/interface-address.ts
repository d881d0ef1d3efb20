import { networkInterfaces } from "node:os";
import { RingstrasseError } from "../failure.js";

/** Interfaces of this host, as `os.networkInterfaces()` gives them. */
type Interfaces = ReturnType<typeof networkInterfaces>;

/** The IPv4 address of this host's interface `name`. @throws RingstrasseError USAGE naming the interfaces that have one */
export function interfaceAddress(name: string, host: string, interfaces: Interfaces = networkInterfaces()): string {
  const addressOf = (each: string) => interfaces[each]?.find(({ family }) => family === "IPv4")?.address;
  const address = addressOf(name);
  if (address !== undefined) return address;
  const others = Object.keys(interfaces).filter((each) => addressOf(each) !== undefined);
  const problem = `${host} has no interface ${name} with an IPv4 address`;
  const remedy = `Choose one that every host has (here: ${others.join(", ")}), or leave it out: then the way to the peers decides`;
  throw new RingstrasseError({ code: "USAGE", option: "--interface", problem, remedy });
}
