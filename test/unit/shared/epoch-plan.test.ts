import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arcOf, microBatchSpan, replicaSpan, rowsOfStep, stepSpan, stepsPerEpoch } from "../../../shared/epoch-plan.js";

const sizes = fc.record({
  rowCount: fc.integer({ min: 1, max: 400 }),
  batchSize: fc.integer({ min: 1, max: 500 }),
  replicas: fc.integer({ min: 1, max: 40 }),
});

describe("the epoch's plan", () => {
  it("gives every position to exactly one replica of exactly one step", () => {
    fc.assert(
      fc.property(sizes, ({ rowCount, batchSize, replicas }) => {
        let next = 0;
        for (let step = 0; step < stepsPerEpoch(rowCount, batchSize); step++) {
          const span = stepSpan(rowCount, batchSize, step);
          for (let replica = 0; replica < replicas; replica++) {
            const slice = replicaSpan(span, replica, replicas);
            expect(slice.from).toBe(next);
            next = slice.to;
          }
          expect(next).toBe(span.to);
        }
        expect(next).toBe(rowCount);
      }),
    );
  });

  it("says how many rows a step of any epoch has", () => {
    expect([1, 2, 3, 4, 5, 6].map((step) => rowsOfStep(9, 4, step))).toEqual([4, 4, 1, 4, 4, 1]);
    expect([1, 2].map((step) => rowsOfStep(9, 100, step))).toEqual([9, 9]);
  });

  it("cuts slices that differ by at most one row, longer ones first", () => {
    expect([0, 1, 2, 3].map((replica) => replicaSpan({ from: 0, to: 10 }, replica, 4))).toEqual([
      { from: 0, to: 3 },
      { from: 3, to: 6 },
      { from: 6, to: 8 },
      { from: 8, to: 10 },
    ]);
  });

  it("cuts a replica's slice into micro-batches that are all of it, in order, the longer ones first", () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 12 }), ({ rowCount, replicas }, accumulate) => {
        for (let replica = 0; replica < replicas; replica++) {
          const slice = replicaSpan({ from: 5, to: 5 + rowCount }, replica, replicas);
          let next = slice.from;
          let longest = Number.POSITIVE_INFINITY;
          for (let accumulation = 0; accumulation < accumulate; accumulation++) {
            const place = { replica, replicas, accumulation, accumulate };
            const part = microBatchSpan({ from: 5, to: 5 + rowCount }, place);
            expect(part.from).toBe(next);
            expect(part.to - part.from).toBeLessThanOrEqual(longest);
            [next, longest] = [part.to, part.to - part.from];
          }
          expect(next).toBe(slice.to);
        }
      }),
    );
  });

  it("leaves replicas empty when there are more of them than rows", () => {
    const lengths = [0, 1, 2, 3].map((replica) => {
      const { from, to } = replicaSpan({ from: 7, to: 9 }, replica, 4);
      return to - from;
    });
    expect(lengths).toEqual([1, 1, 0, 0]);
  });

  it("gives each of 3 workers two of 6 replicas", () => {
    expect([0, 1, 2].map((rank) => arcOf(rank, 3, 6))).toEqual([
      { from: 0, to: 2 },
      { from: 2, to: 4 },
      { from: 4, to: 6 },
    ]);
  });
});
