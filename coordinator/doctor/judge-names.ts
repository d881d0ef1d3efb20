import { isLoopback } from "../../shared/transport/is-loopback.js";
import type { Finding } from "./finding.js";

export interface OwnName {
  readonly name: string;
  /** What the name means here; empty: nothing. */
  readonly addresses: readonly string[];
  /** Why it means nothing; null: it does. */
  readonly problem: string | null;
}

/** Whether this host's name means an address that other hosts reach. Pure. */
export function judgeOwnName({ name, addresses, problem }: OwnName): Finding {
  const check = "own name";
  const facts = { name, addresses: addresses.join(", ") };
  const outward = addresses.filter((address) => !isLoopback(address));
  const hosts = `Give ${name} its outward address in /etc/hosts or DNS; ranks on several hosts can also be given MASTER_ADDR`;
  if (addresses.length === 0) {
    return { check, status: "warning", found: `${name} means nothing here (${problem})`, facts, remedy: hosts };
  }
  if (outward.length === 0) {
    const found = `${name} means ${addresses.join(", ")}, which is each host itself`;
    return { check, status: "warning", found, facts, remedy: hosts };
  }
  return { check, status: "ok", found: `${name} means ${outward.join(", ")}`, facts, remedy: null };
}

/** An interface of this host that leads out. */
export interface OutwardInterface {
  readonly name: string;
  /** IPv4. */
  readonly address: string;
}

/** Which ways lead out of this host. Pure. */
export function judgeInterfaces(interfaces: readonly OutwardInterface[]): Finding {
  const check = "interfaces";
  const named = interfaces.map(({ name, address }) => `${name} ${address}`).join(", ");
  const [first] = interfaces;
  const facts = { count: interfaces.length, first: first?.name ?? null, interfaces: named };
  if (first === undefined) {
    const found = "none with an IPv4 address leads out: only processes of this host can train together";
    return { check, status: "warning", found, facts, remedy: "Bring a network up, if other hosts are to take part" };
  }
  const found = interfaces.length === 1 ? named : `${named}: --interface chooses where the routes don't`;
  return { check, status: "ok", found, facts, remedy: null };
}
