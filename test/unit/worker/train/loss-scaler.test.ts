import { describe, expect, it } from "vitest";
import { LOSS_SCALES } from "../../../../shared/step-rules.js";
import { LossScaler } from "../../../../worker/train/loss-scaler.js";

const times = (count: number, what: () => unknown): void => {
  for (let left = count; left > 0; left--) what();
};

describe("a dynamic loss scale", () => {
  it("is halved by every overflow, whose step is left out", () => {
    const scaler = new LossScaler({ kind: "dynamic", first: 1024 });
    expect([scaler.overflowed(), scaler.overflowed()]).toEqual([true, true]);
    expect(scaler).toMatchObject({ scale: 256, skipped: 2 });
  });

  it("is doubled by 2,000 updates in a row, and not beyond its limit", () => {
    const scaler = new LossScaler({ kind: "dynamic", first: LOSS_SCALES.largest / 2 });
    times(1999, () => scaler.fitted());
    expect(scaler.scale).toBe(LOSS_SCALES.largest / 2);
    scaler.fitted();
    expect(scaler.scale).toBe(LOSS_SCALES.largest);
    times(2000, () => scaler.fitted());
    expect(scaler.scale).toBe(LOSS_SCALES.largest);
  });

  it("counts updates in a row from an overflow on", () => {
    const scaler = new LossScaler({ kind: "dynamic", first: 64 });
    times(1999, () => scaler.fitted());
    scaler.overflowed();
    times(1999, () => scaler.fitted());
    expect(scaler.scale).toBe(32);
    expect(scaler.state).toEqual([32, 1999, 1]);
  });

  it("helps no more once it is at its smallest", () => {
    const scaler = new LossScaler({ kind: "dynamic", first: LOSS_SCALES.smallest * 2 });
    expect([scaler.overflowed(), scaler.overflowed()]).toEqual([true, false]);
    expect(scaler).toMatchObject({ scale: LOSS_SCALES.smallest, skipped: 1 });
  });
});

describe("a static loss scale", () => {
  it("stays what it is, and leaves nothing out", () => {
    const scaler = new LossScaler({ kind: "static", scale: 128 });
    times(5000, () => scaler.fitted());
    expect(scaler.overflowed()).toBe(false);
    expect(scaler).toMatchObject({ scale: 128, skipped: 0 });
  });
});
