import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TopSelection } from "../../../../worker/collective/top-selection.js";

const SPECIAL = [0, -0, 1, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-45, -1e-45, 3.4e38];
const value = fc.oneof(fc.float(), fc.constantFrom(...SPECIAL), fc.integer({ min: -3, max: 3 }));

function selected(values: Float32Array, count: number): number[] {
  const into = new Uint32Array(count);
  new TopSelection().select(values, into);
  return [...into];
}

/** By sorting: larger first, NaN before all, the lower index first among equals. */
function bySorting(values: Float32Array, count: number): number[] {
  const size = (index: number): number => {
    const absolute = Math.abs(values[index] ?? 0);
    return Number.isNaN(absolute) ? Number.MAX_VALUE : absolute === Number.POSITIVE_INFINITY ? 1e300 : absolute;
  };
  const order = [...values.keys()].sort((a, b) => size(b) - size(a) || a - b);
  return order.slice(0, count).sort((a, b) => a - b);
}

describe("TopSelection", () => {
  it("takes what sorting by size and index would take first", () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 200 }), fc.nat(200), (numbers, wanted) => {
        const values = Float32Array.from(numbers);
        const count = Math.min(wanted, values.length);
        expect(selected(values, count)).toEqual(bySorting(values, count));
      }),
      { numRuns: 500 },
    );
  });

  it("takes the lower indices where all are equal, and is as good the second time", () => {
    const selection = new TopSelection();
    const into = new Uint32Array(3);
    for (const values of [Float32Array.of(7, -7, 7, 7, -7), Float32Array.of(0, 0, 0, 0, 0)]) {
      selection.select(values, into);
      expect([...into]).toEqual([0, 1, 2]);
    }
    selection.select(Float32Array.of(1, 2, 3, 4, 5), into);
    expect([...into]).toEqual([2, 3, 4]);
  });

  it("never leaves out what is not a number", () => {
    const values = new Float32Array(1000).fill(3e38);
    values[777] = Number.NaN;
    expect(selected(values, 1)).toEqual([777]);
  });

  it("refuses to take more than there are", () => {
    expect(() => selected(new Float32Array(2), 3)).toThrow("3 elements of 2");
  });
});
