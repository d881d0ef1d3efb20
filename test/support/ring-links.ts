import { freshLinkKeys, type LinkKeys } from "../../shared/transport/link-keys.js";
import { loadLibzmq } from "../../worker/transport/libzmq.js";
import { LibzmqRingTransport } from "../../worker/transport/libzmq-ring-transport.js";
import type { RingTransport } from "../../worker/transport/ring-transport.js";
import { ZeromqRingTransport } from "../../worker/transport/zeromq-ring-transport.js";
import { HAS_IPV6 } from "./has-ipv6.js";
import { ipcLinks, type LinkKind, type Links, memoryLinks, type OpenAt, tcpLinks } from "./links.js";
import { MemoryRingNetwork } from "./memory-ring-transport.js";

export type RingLinks = Links<RingTransport>;

export interface RingLinkKind extends LinkKind<RingTransport> {
  /** All lies in memory that the workers share, and the links carry nothing. */
  readonly sharesMemory?: boolean;
  /** Which hops of a hierarchical ring go through shared memory, by the rank of the sender. */
  readonly isInside?: (rank: number) => boolean;
}

export const MEMORY_LINKS: RingLinkKind = {
  name: "memory",
  setup: () => Promise.resolve(memoryLinks(new MemoryRingNetwork())),
};

/** Every kind of link that there is: what holds for a ring must hold over each. */
export const RING_LINK_KINDS: readonly RingLinkKind[] = [
  MEMORY_LINKS,
  { name: "tcp", setup: () => Promise.resolve(tcpLinks(zeromq("library"))) },
  { name: "ipc", setup: () => ipcLinks(zeromq("library")) },
];

/** Links that speak like the others: no need to try every collective over them. */
export const OTHER_LINK_KINDS: readonly RingLinkKind[] = [
  { name: "tcp by the package's sockets", setup: () => Promise.resolve(tcpLinks(zeromq("package"))) },
  { name: "tcp by one and the other", setup: () => Promise.resolve(tcpLinks(zeromq("library", "package"))) },
  { name: "tcp, encrypted", setup: () => Promise.resolve(tcpLinks(encrypted("library"))) },
  { name: "tcp by the package's sockets, encrypted", setup: () => Promise.resolve(tcpLinks(encrypted("package"))) },
  {
    name: "tcp by one and the other, encrypted",
    setup: () => Promise.resolve(tcpLinks(encrypted("library", "package"))),
  },
  ...(HAS_IPV6
    ? [{ name: "tcp by one and the other, over IPv6", setup: () => Promise.resolve(tcpLinks(overIpv6())) }]
    : []),
  { name: "ipc, which needs no encryption", setup: () => ipcLinks(encrypted("library", "package")) },
];

function overIpv6(): OpenAt<RingTransport> {
  const open = zeromq("library", "package");
  return (_, at) => open("tcp://[::1]:0", at);
}

type Caller = "library" | "package";

/** @param callers by turns */
function zeromq(...callers: readonly Caller[]): OpenAt<RingTransport> {
  return withKeys(callers, null);
}

/** @param callers by turns */
function encrypted(...callers: readonly Caller[]): OpenAt<RingTransport> {
  return withKeys(callers, freshLinkKeys());
}

function withKeys(callers: readonly Caller[], keys: LinkKeys | null): OpenAt<RingTransport> {
  const lib = loadLibzmq();
  return (endpoint, at) =>
    callers[at % callers.length] === "package"
      ? ZeromqRingTransport.bind(endpoint, keys)
      : // All links of a test are in one thread, which none may keep from the others.
        new LibzmqRingTransport(lib, endpoint, { longestSleepMs: 0, keys });
}
