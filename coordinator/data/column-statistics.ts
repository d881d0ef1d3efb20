/**
 * Mean and population deviation of each column, in float64, row by row without keeping rows. Welford, "Note on a method for
 * calculating corrected sums of squares and products", Technometrics 4 (1962). Pure; O(columns) per row.
 */
export class ColumnStatistics {
  readonly #mean: Float64Array;
  readonly #squares: Float64Array;
  #rows = 0;

  constructor(columns: number) {
    this.#mean = new Float64Array(columns);
    this.#squares = new Float64Array(columns);
  }

  /** @param row as many values as there are columns; more are left alone */
  add(row: Float32Array): void {
    const mean = this.#mean;
    const squares = this.#squares;
    this.#rows++;
    for (let column = 0; column < mean.length; column++) {
      const value = row[column] as number;
      const before = value - (mean[column] as number);
      mean[column] = (mean[column] as number) + before / this.#rows;
      squares[column] = (squares[column] as number) + before * (value - (mean[column] as number));
    }
  }

  /** What columns are standardised with: a constant column's deviation is 1, so that it becomes 0 and not NaN. */
  result(): { mean: number[]; deviation: number[] } {
    const deviation = Array.from(this.#squares, (squares) => Math.sqrt(squares / this.#rows));
    return { mean: [...this.#mean], deviation: deviation.map((value) => (value > 0 ? value : 1)) };
  }
}
