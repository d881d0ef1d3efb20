import { describe, expect, it } from "vitest";
import { roundScalarCount } from "../../../../shared/scalar-count.js";
import { RoundScalars } from "../../../../worker/train/round-scalars.js";

const step = (seed: number) => ({
  sums: { lossSum: seed / 3, correct: seed, absoluteErrorSum: seed / 7, count: seed + 1 },
  normTimesRows: seed / 11,
});

describe("RoundScalars", () => {
  it("keeps every step of a round apart, and from the place of the votes", () => {
    const block = new Float64Array(roundScalarCount(5));
    const scalars = new RoundScalars(block);
    block[block.length - 1] = 7;
    for (const at of [0, 1, 2, 3, 4]) scalars.write(at, step(100 + at));
    for (const at of [4, 0, 3, 1, 2]) expect(scalars.read(at)).toEqual(step(100 + at));
    expect(block.at(-1)).toBe(7);
    expect([...block]).not.toContain(0);
  });

  it("has no step beyond the block, nor the vote in its place", () => {
    const scalars = new RoundScalars(new Float64Array(roundScalarCount(2)));
    expect(() => scalars.write(2, step(1))).toThrow("no step 2");
    expect(() => scalars.read(-1)).toThrow(RangeError);
  });
});
