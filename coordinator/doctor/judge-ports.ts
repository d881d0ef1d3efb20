import type { Finding } from "./finding.js";

export interface PortFacts {
  /** Of this host, as others reach it; a loopback address where nothing leads out. */
  readonly address: string;
  /** Why a connection from this host to a port of its own address did not come about; null: it did. */
  readonly problem: string | null;
  /** Of those that `serve` takes unless told otherwise: where somebody listens already. */
  readonly taken: readonly number[];
}

/** Whether processes of this host can listen and be connected to. Pure. */
export function judgePorts({ address, problem, taken }: PortFacts): Finding {
  const check = "ports";
  const facts = { address, taken: taken.join(", ") };
  if (problem !== null) {
    const found = `a process that listens at ${address} can't be connected to from here (${problem})`;
    const remedy = `Let TCP connections to ${address} through (iptables -L, nft list ruleset), or choose another way by --interface`;
    return { check, status: "problem", found, facts, remedy };
  }
  const found = `listening and connecting at ${address} work`;
  if (taken.length === 0) return { check, status: "ok", found, facts, remedy: null };
  const ports = taken.join(" and ");
  const remedy = "If that is no ringstrasse serve of yours: give yours others by --port and --control-port";
  return { check, status: "ok", found: `${found}; somebody listens at ${ports} already`, facts, remedy };
}
