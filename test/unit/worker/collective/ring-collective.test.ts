import { describe, expect, it } from "vitest";
import { decodeHeader, encodeHeader, type FrameHeader } from "../../../../worker/collective/frame-header.js";
import { RingCollective } from "../../../../worker/collective/ring-collective.js";
import type { GroupWorker } from "../../../support/exchange-group.js";
import {
  connectRing,
  contribute,
  createWorker,
  LAYOUT_HASH,
  referenceTotals,
  totalsOf,
} from "../../../support/exchange-group.js";
import type { FrameFate } from "../../../support/memory-end.js";
import { MemoryRingNetwork, type MemoryRingTransport } from "../../../support/memory-ring-transport.js";
import { firstDifference } from "../../../support/reference-fold.js";
import { settleExchanges, violation } from "../../../support/settle-exchanges.js";

const never = new AbortController().signal;
const shape = { workers: 2, replicas: 3, paddedLength: 160, scalarCount: 2 };

interface Pair {
  readonly workers: readonly [GroupWorker, GroupWorker];
  readonly transports: readonly [MemoryRingTransport, MemoryRingTransport];
}

/** Two workers; frames of rank 0 meet their `fate`. */
async function pair(
  fate: (index: number) => FrameFate = () => "deliver",
  changes: { generation?: number; layoutHash?: string; paddedLength?: number; scalarCount?: number } = {},
): Promise<Pair> {
  const network = new MemoryRingNetwork();
  const transports = [network.bind({ fate }), network.bind()] as const;
  connectRing(transports);
  const workers = [
    await createWorker({ ...shape, rank: 0, transport: transports[0] }),
    await createWorker({ ...shape, ...changes, rank: 1, transport: transports[1] }),
  ] as const;
  return { workers, transports };
}

const exchange = ({ workers }: Pair, count = 1) => settleExchanges(workers, shape, count);

describe("ring collective", () => {
  it("finds a lost frame at the next exchange's first frame", async () => {
    let dropped = 0;
    const group = await pair((index) => {
      // The last frame that rank 0 sends in exchange 0: rank 0 itself misses nothing and goes on.
      if (index !== sentPerExchange() - 1) return "deliver";
      dropped++;
      return "drop";
    });
    const [, second] = await exchange(group, 2);
    expect(dropped).toBe(1);
    expect(second).toEqual(
      violation(
        "worker rank 0",
        "a frame of exchange 1 while 1 of 5 frames of exchange 0 are missing: frames were lost",
      ),
    );
  });

  it("finds a frame that came twice", async () => {
    let duplicated = 0;
    const group = await pair((index) => {
      if (index !== 0) return "deliver";
      duplicated++;
      return "duplicate";
    });
    const [, second] = await exchange(group);
    expect(duplicated).toBe(1);
    expect(second).toEqual(
      violation("worker rank 0", "partial of block 0 in exchange 0, expected nothing more: sent twice"),
    );
  });

  it("names a peer that holds another model", async () => {
    const group = await pair(undefined, { layoutHash: "fedcba9876543210".repeat(4) });
    expect(await exchange(group)).toContainEqual(
      violation("worker rank 1", "its layout hash begins with fedcba9876543210, here with 0123456789abcdef"),
    );
  });

  it("names a peer whose blocks have another size", async () => {
    const group = await pair(undefined, { scalarCount: 3 });
    expect(await exchange(group)).toContainEqual(
      violation("worker rank 0", "with 16 bytes (16 announced), expected 24"),
    );
  });

  it("names a peer that is at another exchange", async () => {
    const { workers } = await pair();
    const ahead = workers[0].collective.allReduce({ sequence: 9, withArena: true }, never);
    const behind = workers[1].collective.allReduce({ sequence: 10, withArena: true }, never);
    const results = await Promise.allSettled([ahead, behind]);
    expect(results[0]).toEqual(violation("worker rank 1", "a frame of exchange 10 while 4 of 4 frames of exchange 9"));
    expect(results[1]).toEqual(
      violation("worker rank 0", "a frame of exchange 9 in exchange 10: sent twice, or too late"),
    );
  });

  it("names a peer that exchanges an arena where only scalars are due", async () => {
    const { workers } = await pair();
    const controller = new AbortController();
    const arena = workers[1].collective.allReduce({ sequence: 0, withArena: true }, controller.signal);
    const scalars = workers[0].collective.allReduce({ sequence: 0, withArena: false }, never);
    const [result] = await Promise.allSettled([scalars]);
    expect(result).toEqual(violation("worker rank 1", "block 2 in exchange 0, which has 1 blocks here"));
    controller.abort(new Error("called off"));
    await expect(arena).rejects.toThrow("called off");
  });

  it("drops frames of an older generation and refuses those of a later one", async () => {
    const { workers, transports } = await pair();
    const [rank0, rank1] = workers;
    const header = await firstHeaderOf(rank0);
    for (const sequence of [0, 7]) {
      transports[0].send({ header: encodeHeader({ ...header, generation: 0, sequence }), payload: new Uint8Array(3) });
    }
    for (const worker of workers) contribute(worker, shape, { sequence: 0, withArena: true });
    await Promise.all(workers.map(({ collective }) => collective.allReduce({ sequence: 0, withArena: true }, never)));
    const totals = totalsOf(rank1, shape, { sequence: 0, withArena: true });
    expect(firstDifference(totals.sums, referenceTotals(shape, 0).sums)).toBe(-1);
    if (!(rank1.collective instanceof RingCollective)) throw new Error("a ring is expected");
    expect(rank1.collective.staleFrames).toBe(2);

    transports[0].send({ header: encodeHeader({ ...header, generation: 2 }), payload: new Uint8Array(16) });
    const [result] = await Promise.allSettled([rank1.collective.allReduce({ sequence: 1, withArena: true }, never)]);
    expect(result).toEqual(violation("worker rank 0", "a frame of generation 2 in generation 1"));
  });

  it.each<[string, Partial<FrameHeader>, string]>([
    ["a wrong sender", { sender: 1 }, "sent by rank 1: the ring is not connected in the order of the ranks"],
    ["a wrong number of replicas", { folded: 1 }, "partial of block 0 in exchange 0 with 1 replicas in it, expected 2"],
    ["a wrong announcement", { payloadBytes: 8 }, "with 16 bytes (8 announced), expected 16"],
    [
      "a total that can't be yet",
      { phase: "total", folded: 3 },
      "total of block 0 in exchange 0, expected its partial",
    ],
  ])("refuses %s by name", async (_, change, problem) => {
    const { workers, transports } = await pair();
    const header = await firstHeaderOf(workers[0]);
    transports[0].send({ header: encodeHeader({ ...header, ...change }), payload: new Uint8Array(16) });
    const [result] = await Promise.allSettled([
      workers[1].collective.allReduce({ sequence: 0, withArena: true }, never),
    ]);
    expect(result).toEqual(violation("worker rank 0", problem));
  });

  it("allows one exchange at a time, in order, and none after disposal", async () => {
    const { workers } = await pair();
    const [{ collective: first }, { collective: second }] = workers;
    const waiting = first.allReduce({ sequence: 0, withArena: false }, never);
    await expect(first.allReduce({ sequence: 1, withArena: false }, never)).rejects.toMatchObject({
      failure: { code: "INTERNAL", problem: "exchange 1 was asked while exchange 0 is under way" },
    });
    await second.allReduce({ sequence: 0, withArena: false }, never);
    await waiting;
    await expect(first.allReduce({ sequence: 2, withArena: false }, never)).rejects.toMatchObject({
      failure: { code: "INTERNAL", problem: "exchange 2 was asked, expected 1" },
    });
    await first[Symbol.asyncDispose]();
    await expect(first.allReduce({ sequence: 1, withArena: false }, never)).rejects.toMatchObject({
      failure: { code: "INTERNAL", problem: "exchange 1 was asked of a disposed collective" },
    });
  });
});

/** Rank 0's frames in one exchange of `shape`: blocks 0…3, R = 3, arcs {0, 1} and {2}. */
function sentPerExchange(): number {
  // Blocks 0 and 3 open at 0 and block 2 opens at rank 1; block 1 opens in the middle of rank 0's arc and comes round.
  return 1 + 2 + 1 + 1;
}

/** A right header of the first frame that `worker` (rank 0) sends, to be spoilt. */
async function firstHeaderOf(worker: GroupWorker): Promise<FrameHeader> {
  const network = new MemoryRingNetwork();
  const [from, to] = [network.bind(), network.bind()];
  connectRing([from, to]);
  const twin = await createWorker({ ...shape, rank: worker.membership.rank, transport: from, layoutHash: LAYOUT_HASH });
  const controller = new AbortController();
  const waiting = twin.collective.allReduce({ sequence: 0, withArena: true }, controller.signal);
  const { header } = await to.receive(never);
  controller.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  return decodeHeader(header, "worker rank 0");
}
