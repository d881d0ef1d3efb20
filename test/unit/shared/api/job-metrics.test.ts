import { describe, expect, it } from "vitest";
import { StepPointSchema, toStepPoint } from "../../../../shared/api/job-metrics.js";
import { stepEvent } from "../../../support/train-events.js";

describe("step point of a step event", () => {
  it("takes the slowest worker's time, and communication over all workers' time", () => {
    const event = stepEvent(2, 4);
    event.workers[0]!.computeMs = 6;
    event.workers[0]!.communicationMs = 2;
    event.workers[1]!.computeMs = 1;
    event.workers[1]!.communicationMs = 6;
    expect(toStepPoint(event)).toEqual({
      epoch: 2,
      step: 4,
      loss: 0.25,
      accuracy: 0.5,
      rows: 60,
      wallMs: 8,
      communicationFraction: 8 / 15,
    });
  });

  it("is sound for a step that took no time, as a coarse clock tells it", () => {
    const event = stepEvent(1, 1);
    for (const worker of event.workers) Object.assign(worker, { computeMs: 0, communicationMs: 0 });
    const point = toStepPoint(event);
    expect(point).toMatchObject({ wallMs: 0, communicationFraction: 0 });
    expect(StepPointSchema.parse(point)).toEqual(point);
  });
});
