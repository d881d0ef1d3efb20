import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eventsToTell, metricRows, progressAfter } from "../../../../coordinator/service/run-records.js";
import type { JobId } from "../../../../shared/ids.js";
import type { TrainEvent } from "../../../../shared/train-events.js";
import { epochEvent, stepEvent } from "../../../support/scripted-ground.js";

const started: TrainEvent = {
  event: "started", jobId: "a" as JobId, epochs: 3, stepsPerEpoch: 4, trainRows: 8, testRows: 0, workers: 1, replicas: 1,
  configuration: {},
}; // biome-ignore format: one line per few fields

describe("records of a run", () => {
  it("tells at most ten steps of a batch, evenly, the newest among them, and everything else in order", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 300 }), (kinds) => {
        const events = kinds.map((isStep, index) =>
          isStep ? stepEvent(index + 1) : epochEvent(index + 1, 999, index),
        );
        const told = eventsToTell(events);
        const steps = events.filter(({ event }) => event === "step");
        const toldSteps = told.filter(({ event }) => event === "step");
        expect(toldSteps).toHaveLength(Math.min(10, steps.length));
        expect(toldSteps.at(-1)).toBe(steps.at(-1));
        expect(told.filter(({ event }) => event === "epoch")).toEqual(events.filter(({ event }) => event === "epoch"));
        expect(told).toEqual(events.filter((event) => told.includes(event)));
      }),
    );
  });

  it("keeps a row for every step and epoch", () => {
    const rows = metricRows([started, stepEvent(1), stepEvent(2), epochEvent(1, 3, 2)], 9);
    expect(rows.map(({ kind, epoch, step, at }) => [kind, epoch, step, at])).toEqual([
      ["step", 1, 1, 9],
      ["step", 1, 2, 9],
      ["epoch", 1, 2, 9],
    ]);
    expect(rows[0]?.values).toMatchObject({ loss: 1, wallMs: 3, rows: 5 });
  });

  it("knows how far a run is, without numbers that JSON can't hold", () => {
    expect(progressAfter(null, [stepEvent(1)], 1)).toBeNull();
    const begun = progressAfter(null, [started], 1);
    expect(begun).toMatchObject({ epoch: 0, epochs: 3, step: 0, steps: 12, lastEpoch: null, at: 1 });
    const later = progressAfter(begun, [epochEvent(1, 3, 4), { ...stepEvent(5), loss: Number.NaN }], 2);
    expect(later).toMatchObject({
      epoch: 1,
      step: 5,
      loss: null,
      lastEpoch: { trainLoss: 1, samplesPerSecond: 100 },
      at: 2,
    });
    expect(progressAfter(later, [started], 3)).toMatchObject({ epoch: 0, step: 0, lastEpoch: null });
  });

  it("knows how far a run is that goes on, in the middle of an epoch and between two", () => {
    const resumed = (epoch: number, step: number): TrainEvent => {
      return { event: "resumed", epoch, step, file: "a.ckpt", stateSha256: "0".repeat(64) };
    };
    expect(progressAfter(null, [started, resumed(2, 7)], 1)).toMatchObject({ epoch: 1, step: 7, steps: 12 });
    expect(progressAfter(null, [started, resumed(2, 8)], 1)).toMatchObject({ epoch: 2, step: 8 });
    expect(progressAfter(null, [resumed(2, 8)], 1)).toBeNull();
  });
});
