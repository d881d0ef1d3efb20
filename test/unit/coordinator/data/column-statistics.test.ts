import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ColumnStatistics } from "../../../../coordinator/data/column-statistics.js";

function statisticsOf(rows: readonly (readonly number[])[]) {
  const statistics = new ColumnStatistics(rows[0]?.length ?? 0);
  for (const row of rows) statistics.add(Float32Array.from(row));
  return statistics.result();
}

describe("ColumnStatistics", () => {
  it("gives mean and population deviation of each column", () => {
    const { mean, deviation } = statisticsOf([
      [2, 1],
      [4, 3],
      [4, 5],
      [4, 7],
      [5, 9],
      [5, 11],
      [7, 13],
      [9, 15],
    ]);
    expect(mean).toEqual([5, 8]);
    expect(deviation[0]).toBeCloseTo(2, 12);
    expect(deviation[1]).toBeCloseTo(Math.sqrt(21), 12);
  });

  it("agrees with the two-pass formulas", () => {
    const columns = fc.array(fc.float({ min: -1000, max: 1000, noNaN: true }), { minLength: 2, maxLength: 60 });
    fc.assert(
      fc.property(columns, (values) => {
        const { mean, deviation } = statisticsOf(values.map((value) => [value]));
        const average = values.reduce((sum, value) => sum + value, 0) / values.length;
        const squares = values.reduce((sum, value) => sum + (value - average) ** 2, 0);
        expect(mean[0]).toBeCloseTo(average, 8);
        if (new Set(values.map((value) => value + 0)).size > 1) {
          expect(deviation[0]).toBeCloseTo(Math.sqrt(squares / values.length), 8);
        } else expect(deviation[0]).toBe(1);
      }),
    );
  });

  it("keeps its digits far from zero, and takes a constant column's deviation for 1", () => {
    const { mean, deviation } = statisticsOf([
      [16_777_214, 0.1],
      [16_777_216, 0.1],
      [16_777_215, 0.1],
    ]);
    expect(mean[0]).toBe(16_777_215);
    expect(deviation[0]).toBeCloseTo(Math.sqrt(2 / 3), 9);
    expect(mean[1]).toBe(Math.fround(0.1));
    expect(deviation[1]).toBe(1);
  });
});
