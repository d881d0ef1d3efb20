import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FoldSchedule } from "../../../../worker/collective/fold-schedule.js";

const shapes: [number, number][] = [];
for (let replicas = 1; replicas <= 8; replicas++) {
  for (let workers = 1; workers <= replicas; workers++) shapes.push([workers, replicas]);
}

describe("fold schedule", () => {
  it.each(shapes)(
    "folds each replica once, in ring order from b mod R: %i workers, %i replicas",
    (workers, replicas) => {
      const schedule = new FoldSchedule(workers, replicas);
      for (let block = 0; block < 3 * replicas; block++) {
        const order = schedule
          .visits(block)
          .flatMap(({ replicas: span }) =>
            Array.from({ length: span.to - span.from }, (_, index) => span.from + index),
          );
        expect(order).toEqual(Array.from({ length: replicas }, (_, index) => (block + index) % replicas));
      }
    },
  );

  it.each(shapes)(
    "visits neighbours only, and knows what is folded already: %i workers, %i replicas",
    (workers, replicas) => {
      const schedule = new FoldSchedule(workers, replicas);
      for (let block = 0; block < replicas; block++) {
        const visits = schedule.visits(block);
        let folded = 0;
        for (const [at, visit] of visits.entries()) {
          expect(visit.foldedBefore).toBe(folded);
          expect(visit.rank).toBe(((visits[0]?.rank ?? 0) + at) % workers);
          expect(visit.replicas.from).toBeGreaterThanOrEqual(schedule.arcs[visit.rank]?.from ?? Number.NaN);
          expect(visit.replicas.to).toBeLessThanOrEqual(schedule.arcs[visit.rank]?.to ?? Number.NaN);
          folded += visit.replicas.to - visit.replicas.from;
        }
        const startsArc = schedule.arcs.some((arc) => arc.from === block % replicas);
        expect(visits.length - 1).toBe(startsArc ? workers - 1 : workers);
      }
    },
  );

  it.each(shapes.filter(([workers]) => workers > 1))(
    "moves frames that arrive where they are awaited, and ends with the total everywhere: %i workers, %i replicas",
    (workers, replicas) => {
      const schedule = new FoldSchedule(workers, replicas);
      for (let block = 0; block < replicas; block++) {
        const holders = new Set<number>();
        const sent = Array.from({ length: workers }, () => 0);
        const received = Array.from({ length: workers }, () => 0);
        const ranks = Array.from({ length: workers }, (_, rank) => rank);
        const opener = ranks.find((rank) => schedule.duty(block, rank).opens !== null) ?? -1;
        let rank = opener;
        let phase = "partial";
        // Plays the frames of one block by the duties alone.
        for (let hop = 0; rank >= 0; hop++) {
          expect(hop).toBeLessThan(3 * workers);
          sent[rank] = (sent[rank] ?? 0) + 1;
          rank = (rank + 1) % workers;
          received[rank] = (received[rank] ?? 0) + 1;
          const duty = schedule.duty(block, rank);
          if (phase === "partial") {
            expect(duty.continues).not.toBeNull();
            if (duty.finishes) {
              holders.add(rank);
              phase = "total";
            }
          } else {
            expect(duty.receivesTotal).toBe(true);
            holders.add(rank);
            if (!duty.forwardsTotal) break;
          }
        }
        expect(holders.size).toBe(workers);
        const bytes = Array.from({ length: block + 1 }, (_, index) => (index === block ? 1000 : 0));
        const alone = (rankOf: number) => {
          const all = schedule.traffic(rankOf, bytes);
          return { out: all.sentBytes / 1000, in: all.receivedBytes / 1000 };
        };
        expect(ranks.map(alone)).toEqual(ranks.map((at) => ({ out: sent[at], in: received[at] })));
      }
    },
  );

  it("balances: over all workers as much is sent as received, about 2(N−1)/N of the payload each", () => {
    const shape = fc
      .integer({ min: 1, max: 24 })
      .chain((replicas) =>
        fc.record({ replicas: fc.constant(replicas), workers: fc.integer({ min: 1, max: replicas }) }),
      );
    const blocks = fc.array(fc.integer({ min: 0, max: 1 << 18 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(shape, blocks, ({ workers, replicas }, blockBytes) => {
        const schedule = new FoldSchedule(workers, replicas);
        const all = Array.from({ length: workers }, (_, rank) => schedule.traffic(rank, blockBytes));
        const total = (key: keyof (typeof all)[number]) => all.reduce((sum, traffic) => sum + traffic[key], 0);
        expect(total("sentFrames")).toBe(total("receivedFrames"));
        expect(total("sentBytes")).toBe(total("receivedBytes"));
        const payload = blockBytes.reduce((sum, bytes) => sum + bytes, 0);
        expect(total("sentBytes")).toBeGreaterThanOrEqual(2 * (workers - 1) * payload);
        expect(total("sentBytes")).toBeLessThanOrEqual((workers === 1 ? 0 : 2 * workers - 1) * payload);
        if (workers === replicas) expect(total("sentBytes")).toBe(2 * (workers - 1) * payload);
      }),
    );
  });

  it("counts the frames of three workers with one replica each as on paper", () => {
    // Block b: partial b → b+1 → b+2, total b+2 → b → b+1.
    const schedule = new FoldSchedule(3, 3);
    expect(schedule.traffic(0, [8, 64, 64, 32])).toEqual({
      sentFrames: 6,
      receivedFrames: 5,
      sentBytes: 2 * 8 + 64 + 64 + 2 * 32,
      receivedBytes: 8 + 64 + 2 * 64 + 32,
    });
  });

  it("refuses more workers than replicas", () => {
    expect(() => new FoldSchedule(3, 2)).toThrow("3 workers can't hold 2 replicas");
    expect(() => new FoldSchedule(0, 2)).toThrow("0 workers");
  });
});
