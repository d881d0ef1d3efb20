import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryRingNetwork } from "../../worker/transport/memory-ring-transport.js";
import type { RingTransport } from "../../worker/transport/ring-transport.js";
import { ZeromqRingTransport } from "../../worker/transport/zeromq-ring-transport.js";

/** Makes unconnected transports of one kind for one test, and clears everything away after it. */
export interface RingLinks {
  bind(count: number): Promise<RingTransport[]>;
  teardown(): Promise<void>;
}

export interface RingLinkKind {
  readonly name: string;
  /** All lies in memory that the workers share, and the links carry nothing. */
  readonly sharesMemory?: boolean;
  /** Which hops of a hierarchical ring go through shared memory, by the rank of the sender. */
  readonly isInside?: (rank: number) => boolean;
  setup(): Promise<RingLinks>;
}

export const MEMORY_LINKS: RingLinkKind = { name: "memory", setup: () => Promise.resolve(memoryLinks()) };

/** Every kind of link that there is: what holds for a ring must hold over each. */
export const RING_LINK_KINDS: readonly RingLinkKind[] = [
  MEMORY_LINKS,
  { name: "tcp", setup: () => Promise.resolve(zeromqLinks(() => "tcp://127.0.0.1:0")) },
  { name: "ipc", setup: ipcLinks },
];

/** Frames take 0 to 3 turns of the event loop each. */
function memoryLinks(): RingLinks {
  const network = new MemoryRingNetwork();
  const bound: RingTransport[] = [];
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

async function ipcLinks(): Promise<RingLinks> {
  const folder = await mkdtemp(join(tmpdir(), "ring-"));
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

function zeromqLinks(endpoint: () => string): RingLinks {
  const bound: RingTransport[] = [];
  return {
    bind: async (count) => {
      const links = await Promise.all(Array.from({ length: count }, () => ZeromqRingTransport.bind(endpoint())));
      bound.push(...links);
      return links;
    },
    teardown: () => disposeAll(bound),
  };
}

async function disposeAll(transports: readonly RingTransport[]): Promise<void> {
  for (const transport of transports) await transport[Symbol.asyncDispose]();
}
