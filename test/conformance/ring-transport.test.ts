import { OTHER_LINK_KINDS, RING_LINK_KINDS } from "../support/ring-links.js";
import { ringTransportSuite } from "./ring-transport.suite.js";

for (const kind of [...RING_LINK_KINDS, ...OTHER_LINK_KINDS]) ringTransportSuite(kind);
