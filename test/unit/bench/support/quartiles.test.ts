import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { median } from "../../../../bench/support/median.js";
import { quartiles } from "../../../../bench/support/quartiles.js";

const figures = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 30 });

describe("quartiles", () => {
  it("are between two values in proportion", () => {
    expect(quartiles([4, 1, 3, 2])).toEqual([1.75, 2.5, 3.25]);
    expect(quartiles([7])).toEqual([7, 7, 7]);
  });

  it("have the median in the middle, and leave a quarter of the values on either side", () => {
    fc.assert(
      fc.property(figures, (values) => {
        const [lower, middle, upper] = quartiles(values);
        expect(middle).toBeCloseTo(median(values), 6);
        expect(values.filter((value) => value <= lower).length).toBeGreaterThanOrEqual(values.length / 4);
        expect(values.filter((value) => value >= upper).length).toBeGreaterThanOrEqual(values.length / 4);
        expect(lower <= middle && middle <= upper).toBe(true);
      }),
    );
  });

  it("are none of nothing", () => {
    expect(() => quartiles([])).toThrow("no values");
  });
});
