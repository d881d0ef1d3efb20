import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  emptySeries,
  extendSeries,
  lastX,
  meanOf,
  type Sample,
} from "../../../../../coordinator/dashboard/stores/thinned-series.js";

const figure = fc.option(fc.integer({ min: -1000, max: 1000 }), { nil: null });
const samples = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 50 }), figure, figure), { maxLength: 400 })
  .map((gaps): Sample[] => {
    let x = 0;
    return gaps.map(([gap, first, second]) => {
      x += gap;
      return { x, values: [first, second] };
    });
  });
const capacity = fc.integer({ min: 2, max: 40 });

describe("thinned series", () => {
  it("never holds more buckets than its capacity, in rising order", () => {
    fc.assert(
      fc.property(samples, capacity, (all, most) => {
        const { buckets } = extendSeries(emptySeries(most), all);
        expect(buckets.length).toBeLessThanOrEqual(most);
        for (const [index, bucket] of buckets.entries()) {
          expect(bucket.x).toBeGreaterThan(buckets[index - 1]?.x ?? -1);
        }
      }),
    );
  });

  it("keeps count, sum, least and greatest value of every figure", () => {
    fc.assert(
      fc.property(samples, capacity, (all, most) => {
        const { buckets } = extendSeries(emptySeries(most), all);
        for (const channel of [0, 1]) {
          const values = all.map(({ values }) => values[channel]).filter((value) => value != null);
          const kept = buckets.map(({ channels }) => channels[channel]).filter((one) => one !== undefined);
          const total = (pick: (one: (typeof kept)[number]) => number) => kept.reduce((sum, one) => sum + pick(one), 0);
          expect(total(({ count }) => count)).toBe(values.length);
          expect(total(({ sum }) => sum)).toBe(values.reduce((sum, value) => sum + value, 0));
          expect(Math.min(...kept.map(({ min }) => min))).toBe(Math.min(...values));
          expect(Math.max(...kept.map(({ max }) => max))).toBe(Math.max(...values));
        }
      }),
    );
  });

  it("does not depend on how samples arrive in batches, or on being told some of them twice", () => {
    fc.assert(
      fc.property(samples, capacity, fc.array(fc.nat(400), { maxLength: 6 }), fc.nat(20), (all, most, cuts, back) => {
        const ends = [...cuts, all.length].sort((left, right) => left - right);
        let series = emptySeries(most);
        let begin = 0;
        for (const end of ends) {
          series = extendSeries(series, all.slice(Math.max(0, begin - back), end));
          begin = end;
        }
        expect(series).toEqual(extendSeries(emptySeries(most), all));
      }),
    );
  });

  it("stays as small after a million steps, and ends at the last", () => {
    let series = emptySeries(1_000);
    for (let begin = 0; begin < 1_000_000; begin += 10_000) {
      const batch = Array.from({ length: 10_000 }, (_, index) => ({ x: begin + index + 1, values: [1] }));
      series = extendSeries(series, batch);
    }
    expect(series.buckets.length).toBeGreaterThan(400);
    expect(series.buckets.length).toBeLessThanOrEqual(1_000);
    expect(lastX(series)).toBe(1_000_000);
    expect(series.buckets.reduce((sum, { channels }) => sum + (channels[0]?.count ?? 0), 0)).toBe(1_000_000);
  });

  it("tells the mean of a bucket, and null where nothing was measured", () => {
    const { buckets } = extendSeries(emptySeries(2), [
      { x: 2, values: [1, null] },
      { x: 3, values: [2, null] },
      { x: 4, values: [6, null] },
    ]);
    expect(buckets.map((bucket) => [bucket.x, meanOf(bucket, 0), meanOf(bucket, 1)])).toEqual([
      [3, 1.5, null],
      [4, 6, null],
    ]);
  });
});
