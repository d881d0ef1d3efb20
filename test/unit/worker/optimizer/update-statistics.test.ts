import { describe, expect, it } from "vitest";
import { arenaLayout } from "../../../../shared/arena-layout.js";
import { updateStatistics } from "../../../../worker/optimizer/update-statistics.js";

const initial = { kind: "constant", value: 0 } as const;

describe("running statistics", () => {
  it("move towards the rows' mean moment by 1 − momentum, in float32, and leave the trainable part alone", () => {
    const { statistics, paddedLength } = arenaLayout(
      [{ name: "a/kernel", layer: 0, shape: [3], initial }],
      [
        { name: "b/moving_mean", layer: 1, shape: [2], momentum: 0.9, initial },
        { name: "b/moving_variance", layer: 1, shape: [17], momentum: 0.75, initial },
      ],
    );
    const current = new Float32Array(paddedLength).fill(1);
    const sums = new Float32Array(paddedLength).fill(30);
    const next = new Float32Array(paddedLength).fill(7);
    updateStatistics({ statistics, current, next, sums, count: 10 });
    const mean = Math.fround(Math.fround(0.9) + Math.fround(Math.fround(1 - 0.9) * 3));
    expect([...next.subarray(0, 16)]).toEqual(Array(16).fill(7));
    expect([...next.subarray(16, 18)]).toEqual([mean, mean]);
    expect([...next.subarray(32, 49)]).toEqual(Array(17).fill(1.5));
    // Padding is the committed arena's, so that a flip never shows an old one.
    expect([...next.subarray(18, 32), ...next.subarray(49)]).toEqual(Array(29).fill(1));
  });
});
