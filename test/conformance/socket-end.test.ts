import { SOCKET_END_KINDS } from "../support/socket-ends.js";
import { socketEndSuite } from "./socket-end.suite.js";

for (const kind of SOCKET_END_KINDS) socketEndSuite(kind);
