import { describe, expect, it } from "vitest";
import { ScalarTable } from "../../../../worker/async/scalar-table.js";

const of = (sequence: number, ...values: number[]) => ({ sequence, values: Float64Array.from(values) });

describe("ScalarTable", () => {
  it("adds in the order of the ranks, in whatever order they come, time after time", () => {
    // (1 + 2^53) − 2^53 is 0 in this order, and 1 in others.
    const given = [of(4, 1), of(5, 2 ** 53), of(6, -(2 ** 53))];
    const table = new ScalarTable(3);
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 2, 0],
    ]) {
      const results = order.map((rank) => table.add(rank, given[rank]!));
      expect(results.slice(0, 2)).toEqual([null, null]);
      expect(results[2]).toEqual({ totals: Float64Array.of(0), calls: [4, 5, 6] });
    }
  });

  it("refuses numbers of a rank that has given some, of none, and of another count", () => {
    const table = new ScalarTable(2);
    expect(() => table.add(2, of(0, 1))).toThrow("numbers of rank 2");
    expect(table.add(1, of(0, 1))).toBeNull();
    expect(() => table.add(1, of(1, 1))).toThrow("numbers of rank 1, which has given some already");
    expect(() => table.add(0, of(0, 1, 2))).toThrow("1 numbers, expected 2");
  });
});
