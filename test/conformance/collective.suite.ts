import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { blockPlan } from "../../shared/arena-layout.js";
import { arcOf } from "../../shared/epoch-plan.js";
import type { Exchange, ExchangeReport, Membership } from "../../worker/collective/collective.js";
import type { WindowPlaces } from "../../worker/collective/exchange-window.js";
import { FoldSchedule } from "../../worker/collective/fold-schedule.js";
import { mapWindow } from "../../worker/collective/mapped-window.js";
import { partOfBlock } from "../../worker/collective/part-of-block.js";
import { createSegment, type SharedSegment } from "../../worker/collective/shared-segment.js";
import {
  connectRing,
  contribute,
  createWorker,
  type GroupShape,
  type GroupWorker,
  hopSizeBytes,
  referenceTotals,
  type Totals,
  totalsOf,
  windowSegmentBytes,
} from "../support/exchange-group.js";
import { firstDifference } from "../support/reference-fold.js";
import { SIXTEEN_BIT_FORMATS } from "../support/reference-sixteen-bits.js";
import type { RingLinkKind, RingLinks } from "../support/ring-links.js";
import { connectStar, type StarLinkKind, type StarLinks } from "../support/star-links.js";

const never = new AbortController().signal;
const MOST_REPLICAS = 8;
const SCALAR_COUNT = 5;
const MEBI = 2 ** 20;
/** Sets of sums are used several times, and scalars come between arenas, as evaluations do. */
const EXCHANGES: readonly Exchange[] = [true, true, false, true, true, false, false, true].map(
  (withArena, sequence) => ({
    sequence,
    withArena,
  }),
);

/** Makes the workers of one group after the other, all connected. */
interface GroupMaker {
  createGroup(shape: GroupShape): Promise<GroupWorker[]>;
  teardown(): Promise<void>;
}

/** What the ring, shared memory and the hierarchical ring promise, over one kind of link. */
export function collectiveSuite(kind: RingLinkKind): void {
  orderedSuite(kind.name, async () => ringGroups(kind, await kind.setup()));
}

/** What the parameter server promises, over one kind of star. */
export function parameterServerSuite(kind: StarLinkKind): void {
  orderedSuite(`a star, ${kind.name}`, async () => starGroups(await kind.setup()));
}

function starGroups(links: StarLinks): GroupMaker {
  return {
    createGroup: async (shape) => {
      const stars = await links.bind(shape.workers);
      connectStar(stars);
      return Promise.all(stars.map((star, rank) => createWorker({ ...shape, rank, transport: null, star })));
    },
    teardown: () => links.teardown(),
  };
}

function ringGroups(kind: RingLinkKind, links: RingLinks): GroupMaker {
  return {
    createGroup: async (shape) => {
      const transports = await links.bind(shape.workers);
      connectRing(transports);
      const [segment] = kind.sharesMemory === true && shape.workers > 1 ? share([windowSegmentBytes(shape)]) : [];
      const shared = segment === undefined ? {} : { mapWindow: mapper(segment) };
      const hops = kind.isInside === undefined || shape.workers === 1 ? null : hopsOf(shape, kind.isInside);
      const workers = transports.map((transport, rank) => {
        const hop = hops === null ? {} : { hops: hops[rank]! };
        return createWorker({ ...shape, rank, transport, ...shared, ...hop });
      });
      return Promise.all(workers);
    },
    teardown: () => links.teardown(),
  };
}

/** What every ordered collective promises: the reference's bits for every number of workers. */
function orderedSuite(name: string, setup: () => Promise<GroupMaker>): void {
  describe(`ordered collective over ${name}`, () => {
    let groups: GroupMaker;
    beforeEach(async () => {
      groups = await setup();
    });
    afterEach(() => groups.teardown());
    const createGroup = (shape: GroupShape): Promise<GroupWorker[]> => groups.createGroup(shape);

    for (let workers = 1; workers <= MOST_REPLICAS; workers++) {
      for (let replicas = workers; replicas <= MOST_REPLICAS; replicas++) {
        it(`gives the reference's bits with ${workers} workers and ${replicas} replicas`, async () => {
          for (const paddedLength of new Set([16, 16 * Math.max(1, replicas - 1), 16 * (replicas + 1), 10_016])) {
            const shape = { workers, replicas, paddedLength, scalarCount: SCALAR_COUNT };
            await exchangeAndCheck(await createGroup(shape), shape, EXCHANGES);
          }
        });
      }
    }

    it.each([
      [1, 3],
      [2, 2],
      [3, 5],
    ])("gives the reference's bits with %i workers, %i replicas and blocks of full size", async (workers, replicas) => {
      const shape = { workers, replicas, paddedLength: MEBI, scalarCount: SCALAR_COUNT };
      await exchangeAndCheck(await createGroup(shape), shape, EXCHANGES.slice(0, 4));
    });

    it.each(
      SIXTEEN_BIT_FORMATS.flatMap((format) =>
        [
          [1, 1],
          [1, 4],
          [2, 5],
          [3, 4],
        ].map(([workers, replicas]) => [format.name, workers ?? 0, replicas ?? 0, format] as const),
      ),
    )("gives the reference's bits in %s with %i workers and %i replicas", async (_name, workers, replicas, format) => {
      // All of the arena, and a part that ends within a block: such a block travels as float32.
      for (const length of [480, 464]) {
        const packed = { format, length, scale: 1 / 64 };
        const shape = { workers, replicas, paddedLength: 480, scalarCount: SCALAR_COUNT, packed };
        const exchanges = EXCHANGES.slice(0, 4).map((exchange) => ({ ...exchange, scale: packed.scale }));
        await exchangeAndCheck(await createGroup(shape), shape, exchanges);
      }
    });

    it("serves as a barrier when there are no scalars either", async () => {
      const shape = { workers: 3, replicas: 4, paddedLength: 16, scalarCount: 0 };
      await exchangeAndCheck(await createGroup(shape), shape, EXCHANGES);
    });

    it("rejects with the reason when aborted in mid-exchange, and refuses to be used again", async () => {
      const shape = { workers: 2, replicas: 3, paddedLength: 160, scalarCount: 1 };
      const [first] = await createGroup(shape);
      if (first === undefined) throw new Error("two workers expected");
      const controller = new AbortController();
      const exchange = { sequence: 0, withArena: true };
      // The other worker never takes part, so this can't end otherwise.
      const waiting = first.collective.allReduce(exchange, controller.signal);
      const reason = new Error("generation 2 begins");
      controller.abort(reason);
      await expect(waiting).rejects.toBe(reason);
      await expect(first.collective.allReduce({ sequence: 1, withArena: true }, never)).rejects.toMatchObject({
        failure: { code: "INTERNAL", problem: expect.stringContaining("has failed before") },
        cause: reason,
      });
    });
  });
}

/** Every worker runs at its own pace, without any barrier but the exchanges themselves. */
async function exchangeAndCheck(
  group: GroupWorker[],
  shape: GroupShape,
  exchanges: readonly Exchange[],
): Promise<void> {
  const references = exchanges.map(({ sequence }) => referenceTotals(shape, sequence));
  await Promise.all(
    group.map(async (worker) => {
      for (const [index, exchange] of exchanges.entries()) {
        // At once after the last exchange: gradients are free again by then.
        contribute(worker, shape, exchange);
        const report = await worker.collective.allReduce(exchange, never);
        checkReport(worker, shape, exchange, report);
        checkTotals(worker, shape, exchange, references[index]!);
        spoilOlderSums(worker, shape, exchange);
      }
    }),
  );
}

/** Real shared memory, gone when the test is. */
function share(sizes: readonly number[]): SharedSegment[] {
  const segments = sizes.map((sizeBytes) => createSegment(sizeBytes));
  onTestFinished(() => {
    for (const segment of segments) segment[Symbol.dispose]();
  });
  return segments;
}

/** Maps a segment into a worker's memory until the test is over. */
function mapper({ place }: SharedSegment) {
  return (memory: WebAssembly.Memory, places: WindowPlaces): void => {
    const mapped = mapWindow(place, memory, places);
    onTestFinished(() => mapped[Symbol.dispose]());
  };
}

/** What each worker shares with its neighbours. */
function hopsOf(shape: GroupShape, isInside: (rank: number) => boolean) {
  const segments = share(Array.from({ length: shape.workers }, () => hopSizeBytes(shape)));
  const toNext = (rank: number): Uint8Array | null => (isInside(rank) ? (segments[rank]?.bytes ?? null) : null);
  return segments.map((_, rank) => ({
    toNext: toNext(rank),
    fromPrevious: toNext((rank + shape.workers - 1) % shape.workers),
  }));
}

/** What workers read of each other in shared memory, all of it float32: gradients of the parts of blocks that they fold, totals of the others. */
function sharedTraffic({ rank, worldSize, replicas }: Membership, blockBytes: readonly number[]) {
  const { from, to } = arcOf(rank, worldSize, replicas);
  const sumOf = (blocks: readonly number[]) => blocks.reduce((sum, bytes) => sum + bytes, 0);
  const ownBytes = (bytes: number, block: number): number => {
    const numberBytes = block === 0 ? 8 : 4;
    const part = partOfBlock(bytes / numberBytes, rank, worldSize);
    return (part.to - part.from) * numberBytes;
  };
  const own = sumOf(blockBytes.map(ownBytes));
  const others = sumOf(blockBytes) - own;
  return { sentBytes: others * (to - from) + own, receivedBytes: own * (replicas - (to - from)) + others };
}

/** Gradients of every replica go to the server, all float32; totals come back. Nothing where one worker is all. */
function starTraffic(
  { rank, worldSize, replicas }: Membership,
  gradientBytes: readonly number[],
  totalBytes: readonly number[],
) {
  const { from, to } = arcOf(rank, worldSize, replicas);
  const sumOf = (blocks: readonly number[]) => blocks.reduce((sum, bytes) => sum + bytes, 0);
  const [gradients, totals] = [sumOf(gradientBytes), sumOf(totalBytes)];
  return rank === 0
    ? { sentBytes: totals * (worldSize - 1), receivedBytes: gradients * (replicas - (to - from)) }
    : { sentBytes: gradients * (to - from), receivedBytes: totals };
}

function checkReport(
  { membership, buffers, collective }: GroupWorker,
  { packed }: GroupShape,
  { withArena }: Exchange,
  report: ExchangeReport,
): void {
  const { paddedLength } = buffers.blocks;
  const plan = blockPlan(paddedLength, membership.replicas);
  const arenaBlocks = Array.from({ length: withArena ? plan.blockCount : 0 }, (_, index) =>
    Math.min(plan.blockLength, paddedLength - index * plan.blockLength),
  );
  const isPacked = (block: number) =>
    packed !== undefined && block * plan.blockLength + (arenaBlocks[block] ?? 0) <= packed.length;
  const gradientBytes = [buffers.scalarCount * 8, ...arenaBlocks.map((floats) => floats * 4)];
  const totalBytes = [
    buffers.scalarCount * 8,
    ...arenaBlocks.map((floats, block) => floats * (isPacked(block) ? 2 : 4)),
  ];
  const schedule = new FoldSchedule(membership.worldSize, membership.replicas);
  const traffic = {
    shm: () => sharedTraffic(membership, gradientBytes),
    "parameter-server": () => starTraffic(membership, gradientBytes, totalBytes),
  }[collective.name];
  const { sentBytes, receivedBytes } = traffic?.() ?? schedule.traffic(membership.rank, totalBytes);
  expect(report).toEqual({ sentBytes, receivedBytes, elapsedMs: expect.any(Number) });
}

function checkTotals(worker: GroupWorker, shape: GroupShape, exchange: Exchange, reference: Totals): void {
  const totals = totalsOf(worker, shape, exchange);
  expect(firstDifference(totals.scalarSums, reference.scalarSums)).toBe(-1);
  if (exchange.withArena) expect(firstDifference(totals.sums, reference.sums)).toBe(-1);
}

/** The set of the exchange before the last one is free by contract: whoever still reads it gets nonsense. */
function spoilOlderSums(worker: GroupWorker, shape: GroupShape, { sequence, withArena }: Exchange): void {
  const older = totalsOf(worker, shape, { sequence: sequence + 1, withArena });
  older.sums.fill(Number.NaN);
  older.scalarSums.fill(Number.NaN);
}
