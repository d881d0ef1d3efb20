import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideStarts } from "../../../../coordinator/service/decide-starts.js";

const job = fc
  .record({ min: fc.integer({ min: 1, max: 8 }), more: fc.integer({ min: 0, max: 8 }) })
  .map(({ min, more }) => ({ min, max: min + more }));
const queue = fc.array(job, { maxLength: 20 }).map((jobs) => jobs.map((wanted, id) => ({ id, wanted })));
const capacity = fc
  .record({ busy: fc.integer({ min: 0, max: 8 }), idle: fc.integer({ min: 0, max: 12 }) })
  .map(({ busy, idle }) => ({ present: busy + idle, idle }));

describe("decideStarts", () => {
  it("gives each job a number it may have, and no worker twice", () => {
    fc.assert(
      fc.property(queue, capacity, (jobs, { present, idle }) => {
        const { starts, idle: left } = decideStarts(jobs, { present, idle });
        for (const { id, workers } of starts) {
          const { min, max } = jobs[id]?.wanted ?? { min: 0, max: 0 };
          expect(workers).toBeGreaterThanOrEqual(min);
          expect(workers).toBeLessThanOrEqual(max);
        }
        expect(starts.reduce((sum, { workers }) => sum + workers, 0) + left).toBe(idle);
      }),
    );
  });

  it("lets nobody be overtaken who could start once others have ended, and holds nobody without reason", () => {
    fc.assert(
      fc.property(queue, capacity, (jobs, { present, idle }) => {
        const { starts, passedOver, isHeld, idle: left } = decideStarts(jobs, { present, idle });
        const started = starts.map(({ id }) => id);
        const firstHeld = jobs.find(({ id }) => !started.includes(id) && !passedOver.includes(id));
        for (const id of passedOver) expect(jobs[id]?.wanted.min).toBeGreaterThan(present);
        expect(started).toEqual([...started].sort((a, b) => a - b));
        expect(isHeld).toBe(firstHeld !== undefined);
        if (firstHeld === undefined) return;
        expect(firstHeld.wanted.min).toBeLessThanOrEqual(present);
        expect(firstHeld.wanted.min).toBeGreaterThan(left);
        expect(Math.max(-1, ...started)).toBeLessThan(firstHeld.id);
      }),
    );
  });

  it("decides the same page by page", () => {
    fc.assert(
      fc.property(queue, capacity, fc.integer({ min: 1, max: 5 }), (jobs, { present, idle }, size) => {
        const whole = decideStarts(jobs, { present, idle });
        const starts: (typeof whole)["starts"][number][] = [];
        let left = idle;
        for (let from = 0; from < jobs.length; from += size) {
          const page = decideStarts(jobs.slice(from, from + size), { present, idle: left });
          starts.push(...page.starts);
          left = page.idle;
          if (page.isHeld) break;
        }
        expect(starts).toEqual(whole.starts);
      }),
    );
  });

  it("starts every job in the end, however workers come free, when none needs more than there are", () => {
    fc.assert(
      fc.property(queue, (jobs) => {
        let waiting = jobs.filter(({ wanted }) => wanted.min <= 6);
        for (let round = 0; waiting.length > 0; round++) {
          expect(round).toBeLessThan(21);
          const { starts } = decideStarts(waiting, { present: 6, idle: 6 });
          waiting = waiting.filter(({ id }) => !starts.some((start) => start.id === id));
        }
      }),
    );
  });
});
