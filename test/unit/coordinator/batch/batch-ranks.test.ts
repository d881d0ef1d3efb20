import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batchRanks } from "../../../../coordinator/batch/batch-ranks.js";
import { failureWithCode } from "../../../support/failure-with-code.js";

const count = fc.integer({ min: 1, max: 12 });
const range = fc.tuple(count, count).map(([one, other]) => ({ min: Math.min(one, other), max: Math.max(one, other) }));
const room = fc.record({ nodes: count, tasksPerNode: count });

describe("batchRanks", () => {
  it("is the most that range and room allow, on the fewest nodes; refused exactly when nothing does", () => {
    fc.assert(
      fc.property(range, room, ({ min, max }, { nodes, tasksPerNode }) => {
        const fits: { nodes: number; tasksPerNode: number }[] = [];
        for (let n = 1; n <= nodes; n++) {
          for (let t = 1; t <= tasksPerNode; t++) {
            if (n * t >= min && n * t <= max) fits.push({ nodes: n, tasksPerNode: t });
          }
        }
        fits.sort((a, b) => b.nodes * b.tasksPerNode - a.nodes * a.tasksPerNode || a.nodes - b.nodes);
        const [best] = fits;
        const chosen = () => batchRanks({ min, max }, { nodes, tasksPerNode });
        if (best === undefined) expect(chosen).toThrow(/--nodes: the job is for/);
        else expect(chosen()).toEqual(best);
      }),
    );
  });

  it("says what there is when the job needs more", async () => {
    const failure = await failureWithCode("BATCH_REFUSED", () =>
      batchRanks({ min: 5, max: 5 }, { nodes: 2, tasksPerNode: 2 }),
    );
    expect(failure).toMatchObject({
      option: "--nodes",
      problem: expect.stringContaining("for 5 workers, and its batch jobs may have 2 × 2"),
      remedy: expect.stringContaining("minWorkers and maxWorkers"),
    });
  });
});
