import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FoldSchedule } from "../../../../worker/collective/fold-schedule.js";
import { replicaOfTerm, termOfReplica } from "../../../../worker/collective/fold-terms.js";

const place = fc.record({ replicas: fc.integer({ min: 1, max: 64 }), block: fc.integer({ min: 0, max: 10_000 }) });

describe("the terms of a fold", () => {
  it("are the replicas in the order in which the schedule visits them, for any number of workers", () => {
    fc.assert(
      fc.property(place, fc.integer({ min: 1, max: 64 }), ({ replicas, block }, workers) => {
        const schedule = new FoldSchedule(Math.min(workers, replicas), replicas);
        const visited = schedule
          .visits(block)
          .flatMap(({ replicas: { from, to } }) => Array.from({ length: to - from }, (_, index) => from + index));
        const terms = Array.from({ length: replicas }, (_, term) => replicaOfTerm({ block, replicas }, term));
        expect(terms).toEqual(visited);
      }),
    );
  });

  it("are found again from the replica", () => {
    fc.assert(
      fc.property(place, fc.nat({ max: 63 }), ({ replicas, block }, any) => {
        const term = any % replicas;
        expect(termOfReplica({ block, replicas }, replicaOfTerm({ block, replicas }, term))).toBe(term);
      }),
    );
  });
});
