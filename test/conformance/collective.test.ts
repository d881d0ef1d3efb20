import { MEMORY_LINKS, RING_LINK_KINDS } from "../support/ring-links.js";
import { STAR_LINK_KINDS } from "../support/star-links.js";
import { collectiveSuite, parameterServerSuite } from "./collective.suite.js";

// Nothing goes over the links then.
collectiveSuite({ ...MEMORY_LINKS, name: "shared memory", sharesMemory: true });
for (const kind of RING_LINK_KINDS) {
  collectiveSuite(kind);
  if (kind.name === "ipc") continue;
  // Two workers a host: hops inside and between hosts by turns.
  collectiveSuite({ ...kind, name: `${kind.name}, hierarchical`, isInside: (rank) => rank % 2 === 0 });
}
for (const kind of STAR_LINK_KINDS) parameterServerSuite(kind);
