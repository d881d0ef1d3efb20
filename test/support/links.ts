import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MemoryLinkOptions } from "./memory-end.js";

/** Makes unconnected ends of one kind for one test, and clears everything away after it. */
export interface Links<End> {
  bind(count: number): Promise<End[]>;
  teardown(): Promise<void>;
}

export interface LinkKind<End> {
  readonly name: string;
  setup(): Promise<Links<End>>;
}

/** What opens one end; `at` counts those of one call of `bind`. */
type Open<End> = (at: number) => End | Promise<End>;
/** The same, where it is told to listen. */
export type OpenAt<End> = (endpoint: string, at: number) => End | Promise<End>;

/** Ends in memory; frames take 0 to 3 turns of the event loop each. */
export function memoryLinks<End extends AsyncDisposable>(network: {
  bind(options: MemoryLinkOptions): End;
}): Links<End> {
  return links((at) => network.bind({ latencyTurns: (index) => (index * 7 + at) % 4 }));
}

/** Ends at free ports of this host alone. */
export function tcpLinks<End extends AsyncDisposable>(open: OpenAt<End>): Links<End> {
  return links((at) => open("tcp://127.0.0.1:0", at));
}

/** Ends at sockets in a folder of their own. */
export async function ipcLinks<End extends AsyncDisposable>(open: OpenAt<End>): Promise<Links<End>> {
  const folder = await mkdtemp(join(tmpdir(), "links-"));
  let sockets = 0;
  const made = links((at) => open(`ipc://${join(folder, String(sockets++))}`, at));
  return {
    bind: made.bind,
    teardown: async () => {
      await made.teardown();
      await rm(folder, { recursive: true });
    },
  };
}

function links<End extends AsyncDisposable>(open: Open<End>): Links<End> {
  const bound: End[] = [];
  return {
    bind: async (count) => {
      const ends = await Promise.all(Array.from({ length: count }, (_, at) => open(at)));
      bound.push(...ends);
      return ends;
    },
    teardown: async () => {
      for (const end of bound) await end[Symbol.asyncDispose]();
    },
  };
}
