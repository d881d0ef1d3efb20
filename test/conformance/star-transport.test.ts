import { OTHER_STAR_LINK_KINDS, STAR_LINK_KINDS } from "../support/star-links.js";
import { starTransportSuite } from "./star-transport.suite.js";

for (const kind of [...STAR_LINK_KINDS, ...OTHER_STAR_LINK_KINDS]) starTransportSuite(kind);
