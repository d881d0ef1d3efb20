import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { WorkerRange } from "../../../../coordinator/job/settle-workers.js";
import { decideStarts } from "../../../../coordinator/service/decide-starts.js";
import type { Capacity } from "../../../../coordinator/service/training-ground.js";

const job = fc
  .record({ min: fc.integer({ min: 1, max: 8 }), more: fc.integer({ min: 0, max: 8 }) })
  .map(({ min, more }) => ({ min, max: min + more }));
const queue = fc.array(job, { maxLength: 20 }).map((jobs) => jobs.map((wanted, id) => ({ id, wanted })));
const capacity = fc
  .record({ busy: fc.integer({ min: 0, max: 8 }), idle: fc.integer({ min: 0, max: 12 }) })
  .filter(({ busy, idle }) => busy + idle > 0)
  .map(({ busy, idle }) => ({ present: busy + idle, idle }));

/** As if all jobs could run on any worker. */
function starts<Job extends { readonly wanted: WorkerRange }>(
  jobs: readonly (Job & { id: number })[],
  capacity: Capacity,
) {
  return decideStarts(jobs.map((job) => ({ ...job, capacity })));
}

describe("decideStarts", () => {
  it("gives each job a number it may have, and no worker twice", () => {
    fc.assert(
      fc.property(queue, capacity, (jobs, { present, idle }) => {
        const { starts: started, taken } = starts(jobs, { present, idle });
        for (const { id, workers } of started) {
          const { min, max } = jobs[id]?.wanted ?? { min: 0, max: 0 };
          expect(workers).toBeGreaterThanOrEqual(min);
          expect(workers).toBeLessThanOrEqual(max);
        }
        expect(started.reduce((sum, { workers }) => sum + workers, 0)).toBe(taken);
        expect(taken).toBeLessThanOrEqual(idle);
      }),
    );
  });

  it("lets nobody be overtaken who could start once others have ended, and holds nobody without reason", () => {
    fc.assert(
      fc.property(queue, capacity, (jobs, { present, idle }) => {
        const { starts: all, passedOver, isHeld, taken } = starts(jobs, { present, idle });
        const started = all.map(({ id }) => id);
        const firstHeld = jobs.find(({ id }) => !started.includes(id) && !passedOver.includes(id));
        for (const id of passedOver) expect(jobs[id]?.wanted.min).toBeGreaterThan(present);
        expect(started).toEqual([...started].sort((a, b) => a - b));
        expect(isHeld).toBe(firstHeld !== undefined);
        if (firstHeld === undefined) return;
        expect(firstHeld.wanted.min).toBeLessThanOrEqual(present);
        expect(firstHeld.wanted.min).toBeGreaterThan(idle - taken);
        expect(Math.max(-1, ...started)).toBeLessThan(firstHeld.id);
      }),
    );
  });

  it("decides the same page by page", () => {
    fc.assert(
      fc.property(queue, capacity, fc.integer({ min: 1, max: 5 }), (jobs, { present, idle }, size) => {
        const whole = starts(jobs, { present, idle });
        const started: (typeof whole)["starts"][number][] = [];
        let left = idle;
        for (let from = 0; from < jobs.length; from += size) {
          const page = starts(jobs.slice(from, from + size), { present, idle: left });
          started.push(...page.starts);
          left -= page.taken;
          if (page.isHeld) break;
        }
        expect(started).toEqual(whole.starts);
      }),
    );
  });

  it("starts every job in the end, however workers come free, when none needs more than there are", () => {
    fc.assert(
      fc.property(queue, (jobs) => {
        let waiting = jobs.filter(({ wanted }) => wanted.min <= 6);
        for (let round = 0; waiting.length > 0; round++) {
          expect(round).toBeLessThan(21);
          const { starts: started } = starts(waiting, { present: 6, idle: 6 });
          waiting = waiting.filter(({ id }) => !started.some((start) => start.id === id));
        }
      }),
    );
  });

  it("holds a job whose workers are busy, whatever others are idle; passes over one whose workers aren't here", () => {
    const jobs = [
      { id: 0, wanted: { min: 2, max: 2 }, capacity: { present: 1, idle: 1 } },
      { id: 1, wanted: { min: 1, max: 1 }, capacity: { present: 4, idle: 4 } },
      { id: 2, wanted: { min: 1, max: 1 }, capacity: { present: 1, idle: 0 } },
      { id: 3, wanted: { min: 1, max: 1 }, capacity: { present: 4, idle: 4 } },
    ];
    expect(decideStarts(jobs)).toEqual({ starts: [{ id: 1, workers: 1 }], passedOver: [0], taken: 1, isHeld: true });
  });

  it("passes over nobody, and looks no further, while nobody is here", () => {
    fc.assert(
      fc.property(queue, (jobs) => {
        const nothing = { starts: [], passedOver: [], taken: 0, isHeld: jobs.length > 0 };
        expect(starts(jobs, { present: 0, idle: 0 })).toEqual(nothing);
      }),
    );
  });
});
