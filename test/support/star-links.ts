import { freshLinkKeys } from "../../shared/transport/link-keys.js";
import type { StarTransport } from "../../worker/transport/star-transport.js";
import { ZeromqStarTransport } from "../../worker/transport/zeromq-star-transport.js";
import { ipcLinks, type LinkKind, type Links, memoryLinks, type OpenAt, tcpLinks } from "./links.js";
import { MemoryStarNetwork } from "./memory-star-transport.js";

export type StarLinks = Links<StarTransport>;
export type StarLinkKind = LinkKind<StarTransport>;

const open = (endpoint: string): Promise<StarTransport> => ZeromqStarTransport.bind(endpoint);

/** Every kind of star that there is: what holds for one must hold over each. */
export const STAR_LINK_KINDS: readonly StarLinkKind[] = [
  { name: "memory", setup: () => Promise.resolve(memoryLinks(new MemoryStarNetwork())) },
  { name: "tcp", setup: () => Promise.resolve(tcpLinks(open)) },
  { name: "ipc", setup: () => ipcLinks(open) },
];

/** Links that speak like the others: no need to try every collective over them. */
export const OTHER_STAR_LINK_KINDS: readonly StarLinkKind[] = [
  { name: "tcp, encrypted", setup: () => Promise.resolve(tcpLinks(encrypted())) },
  { name: "ipc, which needs no encryption", setup: () => ipcLinks(encrypted()) },
];

function encrypted(): OpenAt<StarTransport> {
  const keys = freshLinkKeys();
  return (endpoint) => ZeromqStarTransport.bind(endpoint, keys);
}

/** Connects the first to all others, and each of them to it. */
export function connectStar(transports: readonly StarTransport[]): void {
  const [server, ...clients] = transports;
  for (const [index, client] of clients.entries()) {
    server?.connect(index + 1, client.endpoint);
    if (server !== undefined) client.connect(0, server.endpoint);
  }
}
