import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CLIENT_WINDOW_BYTES } from "../../../../worker/collective/client-exchange.js";
import { decodeHeader, encodeHeader, type FrameHeader } from "../../../../worker/collective/frame-header.js";
import { ParameterServerCollective } from "../../../../worker/collective/parameter-server-collective.js";
import type { RingFrame } from "../../../../worker/transport/ring-transport.js";
import {
  contribute,
  createWorker,
  type GroupShape,
  type GroupWorker,
  LAYOUT_HASH,
  referenceTotals,
  totalsOf,
  type WorkerSpec,
} from "../../../support/exchange-group.js";
import type { FrameFate } from "../../../support/memory-end.js";
import { MemoryStarNetwork, type MemoryStarTransport } from "../../../support/memory-star-transport.js";
import { firstDifference } from "../../../support/reference-fold.js";
import { settleExchanges, violation } from "../../../support/settle-exchanges.js";
import { connectStar } from "../../../support/star-links.js";

const never = new AbortController().signal;
const shape: GroupShape = { workers: 3, replicas: 4, paddedLength: 160, scalarCount: 2 };
const FIRST = { sequence: 0, withArena: true };

interface Group {
  readonly workers: readonly GroupWorker[];
  readonly transports: readonly MemoryStarTransport[];
}

interface Trouble {
  /** Of the frames of each rank. */
  readonly fate?: (rank: number, index: number, frame: RingFrame) => FrameFate;
  readonly latencyTurns?: (rank: number, index: number) => number;
  /** What rank 2 has that the others haven't. */
  readonly changes?: Partial<WorkerSpec>;
}

async function group({ fate, latencyTurns, changes = {} }: Trouble = {}, of: GroupShape = shape): Promise<Group> {
  const network = new MemoryStarNetwork();
  const transports = Array.from({ length: of.workers }, (_, rank) =>
    network.bind({
      fate: (index, frame) => fate?.(rank, index, frame) ?? "deliver",
      latencyTurns: (index) => latencyTurns?.(rank, index) ?? 0,
    }),
  );
  connectStar(transports);
  const workers = transports.map((star, rank) =>
    createWorker({ ...of, ...(rank === 2 ? changes : {}), rank, transport: null, star }),
  );
  return { workers: await Promise.all(workers), transports };
}

const exchange = ({ workers }: Group, count = 1) => settleExchanges(workers, shape, count);

/** Lets one frame of a rank meet its fate; says how often it did. */
function once(rank: number, index: number, fate: FrameFate) {
  let met = 0;
  return {
    times: () => met,
    fate: (of: number, at: number): FrameFate => {
      if (of !== rank || at !== index) return "deliver";
      met++;
      return fate;
    },
  };
}

describe("the parameter server", () => {
  it("adds in the order of the replicas in whatever order their gradients come", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 50 }), async (turns) => {
        const { workers } = await group({
          latencyTurns: (rank, index) => turns[(rank * 7 + index) % turns.length] ?? 0,
        });
        await Promise.all(
          workers.map(async (worker) => {
            contribute(worker, shape, FIRST);
            await worker.collective.allReduce(FIRST, never);
            const { sums, scalarSums } = totalsOf(worker, shape, FIRST);
            const reference = referenceTotals(shape, 0);
            expect(firstDifference(sums, reference.sums)).toBe(-1);
            expect(firstDifference(scalarSums, reference.scalarSums)).toBe(-1);
          }),
        );
      }),
      { numRuns: 20 },
    );
  });

  it("lets a client send no more than its window ahead of the totals", async () => {
    const large: GroupShape = { workers: 2, replicas: 2, paddedLength: 2 ** 20, scalarCount: 1 };
    const { workers, transports } = await group({}, large);
    const [server, client] = workers;
    if (server === undefined || client === undefined) throw new Error("two workers expected");
    for (const worker of workers) contribute(worker, large, FIRST);
    // The server is not there yet: what comes lies in its inbox.
    const waiting = client.collective.allReduce(FIRST, never);
    for (let turn = 0; turn < 100; turn++) await nextTurn();
    await server.collective.allReduce(FIRST, never);
    await waiting;
    const most = transports[0]?.mostWaitingBytes ?? 0;
    expect(most).toBeLessThanOrEqual(CLIENT_WINDOW_BYTES);
    // It does send ahead, and the arena is larger than what it may.
    expect(most).toBeGreaterThan(CLIENT_WINDOW_BYTES / 2);
    expect(large.paddedLength * 4).toBeGreaterThan(2 * CLIENT_WINDOW_BYTES);
  });

  it("finds a frame that came twice", async () => {
    const twice = once(2, 0, "duplicate");
    const [first] = await exchange(await group({ fate: twice.fate }));
    expect(twice.times()).toBe(1);
    expect(first).toEqual(
      violation("worker rank 2", "gradient of block 0 in exchange 0, to be added as 4 of 4: sent twice"),
    );
  });

  it("names a peer that holds another model", async () => {
    const results = await exchange(await group({ changes: { layoutHash: "fedcba9876543210".repeat(4) } }));
    expect(results[0]).toEqual(
      violation("worker rank 2", "its layout hash begins with fedcba9876543210, here with 0123456789abcdef"),
    );
  });

  it("names a peer whose blocks have another size", async () => {
    const results = await exchange(await group({ changes: { scalarCount: 3 } }));
    expect(results[0]).toEqual(
      violation("worker rank 2", "gradient of block 0 in exchange 0 with 24 bytes, expected 16"),
    );
  });

  it("names a server whose totals have another format", async () => {
    const packedServer = await headerFrom({ block: 0, phase: "total", folded: 4 });
    const result = await hear(packedServer, new Uint8Array(8));
    expect(result).toEqual(violation("worker rank 0", "total of block 0 in exchange 0 with 8 bytes, expected 16"));
  });

  it("names a peer that is at another exchange, on both sides", async () => {
    const { workers } = await group();
    const controller = new AbortController();
    const results = await Promise.allSettled(
      workers.map(({ collective }, rank) =>
        collective.allReduce({ sequence: rank === 2 ? 10 : 9, withArena: true }, controller.signal).catch((error) => {
          controller.abort(new Error("called off"));
          throw error;
        }),
      ),
    );
    expect(results[0]).toEqual(violation("worker rank 2", "a frame of exchange 10 while"));
    const late = await hear(
      { ...(await headerFrom({ block: 0, phase: "total", folded: 4 })), sequence: 3 },
      new Uint8Array(16),
      4,
    );
    expect(late).toEqual(violation("worker rank 0", "a frame of exchange 3 in exchange 4: sent twice, or too late"));
  });

  it.each([
    ["a total", { phase: "total" as const }, "total of block 0 in exchange 0, expected gradients"],
    [
      "a gradient of somebody else's replica",
      { folded: 3 },
      "to be added as 3 of 4, which is no replica of that worker",
    ],
    ["a gradient of no replica", { folded: 9 }, "to be added as 9 of 4, which is no replica of that worker"],
    ["a block that there isn't", { block: 99 }, "gradient of block 99 in exchange 0, which has"],
    ["what another server should have", { sender: 0 }, "a frame sent by rank 0 to rank 0"],
    ["what a later generation would send", { generation: 2 }, "a frame of generation 2 in generation 1"],
  ])("refuses %s", async (_what, wrong, problem) => {
    const header = { ...(await headerFrom({ block: 0, phase: "gradient", folded: 4 })), sender: 2, ...wrong };
    const { workers, transports } = await group();
    transports[2]?.send(0, { header: encodeHeader(header), payload: new Uint8Array(16) });
    const [result] = await Promise.allSettled([workers[0]?.collective.allReduce(FIRST, never)]);
    expect(result).toEqual(violation(`worker rank ${header.sender}`, problem));
  });

  it("drops frames of an older generation, and counts them", async () => {
    const { workers, transports } = await group({}, shape);
    const header = { ...(await headerFrom({ block: 0, phase: "gradient", folded: 4 })), generation: 0, sender: 2 };
    transports[2]?.send(0, { header: encodeHeader(header), payload: new Uint8Array(3) });
    const results = await exchange({ workers, transports });
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "fulfilled"]);
    const [server] = workers;
    if (!(server?.collective instanceof ParameterServerCollective)) throw new Error("a parameter server expected");
    expect(server.collective.staleFrames).toBe(1);
  });
});

/** A header as rank 0 would write it in exchange 0. */
async function headerFrom(frame: Pick<FrameHeader, "block" | "phase" | "folded">): Promise<FrameHeader> {
  const network = new MemoryStarNetwork();
  const [listener, star] = [network.bind(), network.bind()];
  connectStar([listener, star]);
  const worker = await createWorker({
    workers: 2,
    replicas: 2,
    paddedLength: 16,
    scalarCount: 2,
    rank: 1,
    transport: null,
    star,
  });
  const controller = new AbortController();
  const waiting = worker.collective.allReduce(FIRST, controller.signal);
  const { header } = await listener.receive(never);
  controller.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  return { ...decodeHeader(header, "rank 1"), sender: 0, ...frame };
}

/** What client 1 of three says to one frame from the server. */
async function hear(header: FrameHeader, payload: Uint8Array, sequence = 0): Promise<PromiseSettledResult<unknown>> {
  const { workers, transports } = await group({ changes: { layoutHash: LAYOUT_HASH } });
  transports[0]?.send(1, { header: encodeHeader({ ...header, payloadBytes: payload.byteLength }), payload });
  const [result] = await Promise.allSettled([workers[1]?.collective.allReduce({ sequence, withArena: true }, never)]);
  if (result === undefined) throw new Error("one result expected");
  return result;
}
