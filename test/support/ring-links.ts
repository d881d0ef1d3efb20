import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadLibzmq } from "../../worker/transport/libzmq.js";
import { LibzmqRingTransport } from "../../worker/transport/libzmq-ring-transport.js";
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

const LOOPBACK = (): string => "tcp://127.0.0.1:0";

export const MEMORY_LINKS: RingLinkKind = { name: "memory", setup: () => Promise.resolve(memoryLinks()) };

/** Every kind of link that there is: what holds for a ring must hold over each. */
export const RING_LINK_KINDS: readonly RingLinkKind[] = [
  MEMORY_LINKS,
  { name: "tcp", setup: () => Promise.resolve(zeromqLinks(LOOPBACK)) },
  { name: "ipc", setup: ipcLinks },
];

/** Links that speak like the others: no need to try every collective over them. */
export const OTHER_LINK_KINDS: readonly RingLinkKind[] = [
  { name: "tcp by the package's sockets", setup: () => Promise.resolve(zeromqLinks(LOOPBACK, ["package"])) },
  { name: "tcp by one and the other", setup: () => Promise.resolve(zeromqLinks(LOOPBACK, ["library", "package"])) },
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

type Caller = "library" | "package";

/** @param callers by turns */
function zeromqLinks(endpoint: () => string, callers: readonly Caller[] = ["library"]): RingLinks {
  const bound: RingTransport[] = [];
  const lib = loadLibzmq();
  const open = async (caller: Caller | undefined): Promise<RingTransport> =>
    caller === "package"
      ? await ZeromqRingTransport.bind(endpoint())
      : // All links of a test are in one thread, which none may keep from the others.
        new LibzmqRingTransport(lib, endpoint(), { longestSleepMs: 0 });
  return {
    bind: async (count) => {
      const links = await Promise.all(Array.from({ length: count }, (_, at) => open(callers[at % callers.length])));
      bound.push(...links);
      return links;
    },
    teardown: () => disposeAll(bound),
  };
}

async function disposeAll(transports: readonly RingTransport[]): Promise<void> {
  for (const transport of transports) await transport[Symbol.asyncDispose]();
}
