import { describe, expect, it } from "vitest";
import { arcOf, replicaSpan, stepSpan } from "../../../../shared/epoch-plan.js";
import { updatesBefore, updatesOfEpoch } from "../../../../worker/async/count-updates.js";

/** By going through all slices. */
function counted(rowCount: number, batchSize: number, replicas: number, workers: number): number {
  let updates = 0;
  for (let step = 0; step * batchSize < rowCount; step++) {
    const rows = stepSpan(rowCount, batchSize, step);
    for (let rank = 0; rank < workers; rank++) {
      const { from, to } = arcOf(rank, workers, replicas);
      const slices = Array.from({ length: to - from }, (_, index) => replicaSpan(rows, from + index, replicas));
      if (slices.some((slice) => slice.to > slice.from)) updates++;
    }
  }
  return updates;
}

describe("count of updates", () => {
  it("is that of the slices that have rows", () => {
    for (const [rowCount, batchSize, replicas] of [
      [97, 16, 4],
      [97, 97, 4],
      [10, 3, 8],
      [1, 1, 5],
      [64, 16, 16],
    ] as const) {
      const job = { batchSize, replicas, dataset: { train: { rowCount } } };
      for (let workers = 1; workers <= replicas; workers++)
        expect(updatesOfEpoch(job, workers)).toBe(counted(rowCount, batchSize, replicas, workers));
    }
  });

  it("before a position is what that says, whoever did them", () => {
    expect(updatesBefore({ epoch: 100, step: 100, progress: null, updates: 100 }, 4)).toBe(100);
    expect(updatesBefore({ epoch: 100, step: 100, progress: null }, 4)).toBe(400);
    expect(updatesBefore({ epoch: 0, step: 0, progress: null }, 4)).toBe(0);
  });
});
