import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { StalenessGate } from "../../../../worker/async/staleness-gate.js";

describe("StalenessGate", () => {
  it("lets nobody get further ahead than it may, and always somebody on, whoever tries when", () => {
    const attempts = fc.array(fc.nat({ max: 7 }), { maxLength: 300 });
    const sizes = fc.record({ workers: fc.integer({ min: 1, max: 8 }), most: fc.integer({ min: 1, max: 5 }) });
    fc.assert(
      fc.property(sizes, attempts, ({ workers, most }, tried) => {
        const gate = new StalenessGate(workers, most);
        const steps = new Array<number>(workers).fill(0);
        for (const attempt of tried) {
          const rank = attempt % workers;
          const slowest = Math.min(...steps);
          expect(gate.isOpen(rank)).toBe((steps[rank] ?? 0) + 1 - slowest <= most);
          expect(gate.isOpen(steps.indexOf(slowest))).toBe(true);
          if (!gate.isOpen(rank)) continue;
          steps[rank] = (steps[rank] ?? 0) + 1;
          const ahead = (steps[rank] ?? 0) - Math.min(...steps);
          expect(gate.passed(rank)).toBe(ahead);
          expect(ahead).toBeLessThanOrEqual(most);
        }
      }),
    );
  });

  it("refuses a step of who has to wait, a rank that there isn't, and a bound that would stop all", () => {
    const gate = new StalenessGate(2, 1);
    expect(gate.passed(0)).toBe(1);
    expect(() => gate.passed(0)).toThrow("rank 0 is 1 steps ahead of the slowest already");
    expect(() => gate.isOpen(2)).toThrow("there is no rank 2");
    expect(() => new StalenessGate(2, 0)).toThrow("at most 0 steps ahead");
  });
});
