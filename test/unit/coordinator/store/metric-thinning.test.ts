import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  historyStride,
  isStepKept,
  planDisplay,
  STEP_ROWS_KEPT,
} from "../../../../coordinator/store/metric-thinning.js";

const bounds = fc.record({ history: fc.integer({ min: 1, max: 50 }), recent: fc.integer({ min: 0, max: 50 }) });

describe("isStepKept", () => {
  it("keeps no more than it says, whatever the length of the run", () => {
    fc.assert(
      fc.property(bounds, fc.integer({ min: 0, max: 2000 }), (limits, newest) => {
        let kept = 0;
        for (let step = 0; step <= newest; step++) if (isStepKept(step, newest, limits)) kept++;
        expect(kept).toBeLessThanOrEqual(limits.history + limits.recent);
        expect(kept).toBeGreaterThanOrEqual(Math.min(newest + 1, limits.history / 2));
      }),
    );
  });

  it("never wants back what it once dropped: dropping as steps come equals dropping at the end", () => {
    const arrivals = fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 300 });
    fc.assert(
      fc.property(bounds, arrivals, (limits, steps) => {
        const kept = new Set<number>();
        let newest = -1;
        for (const step of steps) {
          newest = Math.max(newest, step);
          kept.add(step);
          for (const other of kept) if (!isStepKept(other, newest, limits)) kept.delete(other);
        }
        const wanted = new Set(steps.filter((step) => isStepKept(step, newest, limits)));
        expect(kept).toEqual(wanted);
      }),
    );
  });

  it("spaces the kept steps evenly, and leaves no gap among the latest", () => {
    fc.assert(
      fc.property(bounds, fc.integer({ min: 0, max: 1_000_000 }), (limits, newest) => {
        const stride = historyStride(newest, limits.history);
        expect(Math.log2(stride) % 1).toBe(0);
        for (let step = 0; step <= newest; step += stride) expect(isStepKept(step, newest, limits)).toBe(true);
        for (let step = Math.max(0, newest - limits.recent + 1); step <= newest; step++) {
          expect(isStepKept(step, newest, limits)).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });

  it("keeps 4,927 of a million steps: some over the whole run, and the last thousand", () => {
    const newest = 999_999;
    let kept = 0;
    for (let step = 0; step <= newest; step++) if (isStepKept(step, newest, STEP_ROWS_KEPT)) kept++;
    expect(historyStride(newest, STEP_ROWS_KEPT.history)).toBe(256);
    expect(kept).toBe(3907 + 1024 - 4);
  });
});

describe("planDisplay", () => {
  it("shows the latest step and at most the rows asked for, as finely as it can", () => {
    const range = fc.tuple(fc.nat(5000), fc.nat(5000)).map(([from, length]) => [from, from + length] as const);
    fc.assert(
      fc.property(range, fc.integer({ min: 1, max: 500 }), ([first, last], limit) => {
        const shownBy = (plan: { from: number; stride: number }) => {
          let rows = 0;
          for (let step = plan.from; step <= last; step++) if (step % plan.stride === 0 || step === last) rows++;
          return rows;
        };
        const plan = planDisplay(first, last, limit);
        expect(shownBy(plan)).toBeGreaterThanOrEqual(1);
        expect(shownBy(plan)).toBeLessThanOrEqual(limit);
        if (plan.stride > 1) expect(shownBy({ from: plan.from, stride: plan.stride / 2 })).toBeGreaterThan(limit);
        if (limit > 1) expect(plan.from).toBe(first);
      }),
    );
  });
});
