import { lookup } from "node:dns/promises";
import { hostname, networkInterfaces } from "node:os";
import { setTimeout } from "node:timers/promises";
import type { MachineCheck } from "./finding.js";
import { judgeInterfaces, judgeOwnName, type OutwardInterface, type OwnName } from "./judge-names.js";

/** What this host's name means, and which ways lead out. @param patienceMs for the name's answer */
export function namesCheck(patienceMs: number): MachineCheck {
  return async () => [judgeOwnName(await ownName(patienceMs)), judgeInterfaces(outwardInterfaces())];
}

async function ownName(patienceMs: number): Promise<OwnName> {
  const name = hostname();
  const found = lookup(name, { family: 4, all: true }).then(
    (all) => ({ addresses: all.map(({ address }) => address), problem: null }),
    (cause: unknown) => ({ addresses: [], problem: cause instanceof Error ? cause.message : String(cause) }),
  );
  // A resolver that nobody answers takes half a minute.
  const late = new AbortController();
  const waited = setTimeout(patienceMs, { addresses: [], problem: `no answer within ${patienceMs} ms` }, late);
  try {
    return { name, ...(await Promise.race([found, waited])) };
  } finally {
    late.abort();
    await waited.catch(() => undefined);
  }
}

function outwardInterfaces(): OutwardInterface[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses]) => {
    const address = addresses?.find(({ internal, family }) => !internal && family === "IPv4")?.address;
    return address === undefined ? [] : [{ name, address }];
  });
}
