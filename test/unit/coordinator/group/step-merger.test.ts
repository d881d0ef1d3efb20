import { describe, expect, it } from "vitest";
import { StepMerger } from "../../../../coordinator/group/step-merger.js";
import type { StepReport } from "../../../../shared/protocol/control-message.js";

const report = (step: number, replica: number): StepReport => ({
  epoch: 1,
  step,
  loss: 0.5,
  accuracy: null,
  totalRows: 10,
  learningRate: 0.1,
  gradientNorm: 2,
  replicas: [replica],
  rows: 5,
  computeMs: 1,
  communicationMs: 1,
  sentBytes: 0,
  receivedBytes: 0,
});

describe("StepMerger", () => {
  it("completes a step with its last report, workers by rank", () => {
    const merger = new StepMerger(2);
    expect(merger.add(1, report(1, 1))).toBeNull();
    expect(merger.add(1, report(2, 1))).toBeNull();
    const first = merger.add(0, report(1, 0));
    expect(first).toMatchObject({ step: 1, rows: 10, loss: 0.5, update: { learningRate: 0.1, gradientNorm: 2 } });
    expect(first?.workers.map((worker) => worker.replicas)).toEqual([[0], [1]]);
    expect(merger.add(0, report(2, 0))?.step).toBe(2);
  });
});
