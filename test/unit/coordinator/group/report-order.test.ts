import { describe, expect, it } from "vitest";
import { ReportOrder } from "../../../../coordinator/group/report-order.js";
import type { EpochReport, StepReport } from "../../../../shared/protocol/control-message.js";

const step = (number: number) => ({ epoch: 1, step: number, loss: 1, accuracy: null, totalRows: 2 }) as StepReport;
const epoch = (number: number, steps: number) => ({ epoch: number, steps }) as EpochReport;

describe("ReportOrder", () => {
  it("tells an epoch after the last of its steps, however early rank 0 reports it", () => {
    const told: string[] = [];
    const order = new ReportOrder(2, {
      step: (merged) => told.push(`step ${merged.step}`),
      epoch: (report) => told.push(`epoch ${report.epoch}`),
    });
    order.steps(0, [step(1), step(2)]);
    order.epoch(epoch(1, 2));
    order.steps(0, [step(3), step(4)]);
    order.epoch(epoch(2, 4));
    expect(told).toEqual([]);
    order.steps(1, [step(1), step(2), step(3)]);
    expect(told).toEqual(["step 1", "step 2", "epoch 1", "step 3"]);
    order.steps(1, [step(4)]);
    expect(told.slice(4)).toEqual(["step 4", "epoch 2"]);
  });
});
