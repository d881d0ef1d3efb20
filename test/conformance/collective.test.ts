import { RING_LINK_KINDS } from "../support/ring-links.js";
import { collectiveSuite } from "./collective.suite.js";

for (const kind of RING_LINK_KINDS) {
  collectiveSuite(kind);
  collectiveSuite({ ...kind, name: `${kind.name}, payloads in shared memory`, sharesMemory: true });
  if (kind.name === "ipc") continue;
  // Two workers a host: hops inside and between hosts by turns.
  collectiveSuite({ ...kind, name: `${kind.name}, hierarchical`, isInside: (rank) => rank % 2 === 0 });
}
