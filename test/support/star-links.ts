import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryStarNetwork } from "../../worker/transport/memory-star-transport.js";
import type { StarTransport } from "../../worker/transport/star-transport.js";
import { ZeromqStarTransport } from "../../worker/transport/zeromq-star-transport.js";

/** Makes unconnected ends of one kind for one test, and clears everything away after it. */
export interface StarLinks {
  bind(count: number): Promise<StarTransport[]>;
  teardown(): Promise<void>;
}

export interface StarLinkKind {
  readonly name: string;
  setup(): Promise<StarLinks>;
}

/** Every kind of star that there is: what holds for one must hold over each. */
export const STAR_LINK_KINDS: readonly StarLinkKind[] = [
  { name: "memory", setup: () => Promise.resolve(memoryLinks()) },
  { name: "tcp", setup: () => Promise.resolve(zeromqLinks(() => "tcp://127.0.0.1:0")) },
  { name: "ipc", setup: ipcLinks },
];

/** Connects the first to all others, and each of them to it. */
export function connectStar(transports: readonly StarTransport[]): void {
  const [server, ...clients] = transports;
  for (const [index, client] of clients.entries()) {
    server?.connect(index + 1, client.endpoint);
    if (server !== undefined) client.connect(0, server.endpoint);
  }
}

/** Frames take 0 to 3 turns of the event loop each. */
function memoryLinks(): StarLinks {
  const network = new MemoryStarNetwork();
  const bound: StarTransport[] = [];
  return {
    bind: (count) => {
      const links = Array.from({ length: count }, (_, at) =>
        network.bind({ latencyTurns: (index) => (index * 7 + at) % 4 }),
      );
      bound.push(...links);
      return Promise.resolve(links);
    },
    teardown: () => disposeAll(bound),
  };
}

async function ipcLinks(): Promise<StarLinks> {
  const folder = await mkdtemp(join(tmpdir(), "star-"));
  let sockets = 0;
  const links = zeromqLinks(() => `ipc://${join(folder, String(sockets++))}`);
  return {
    bind: links.bind,
    teardown: async () => {
      await links.teardown();
      await rm(folder, { recursive: true });
    },
  };
}

function zeromqLinks(endpoint: () => string): StarLinks {
  const bound: StarTransport[] = [];
  return {
    bind: async (count) => {
      const links = await Promise.all(Array.from({ length: count }, () => ZeromqStarTransport.bind(endpoint())));
      bound.push(...links);
      return links;
    },
    teardown: () => disposeAll(bound),
  };
}

async function disposeAll(transports: readonly StarTransport[]): Promise<void> {
  for (const transport of transports) await transport[Symbol.asyncDispose]();
}
