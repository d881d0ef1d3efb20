import { RING_LINK_KINDS } from "../support/ring-links.js";
import { collectiveSuite } from "./collective.suite.js";

for (const kind of RING_LINK_KINDS) {
  collectiveSuite(kind);
  collectiveSuite({ ...kind, name: `${kind.name}, payloads in shared memory`, sharesMemory: true });
}
