/** One worker's numbers, and the number of the call that brought them. */
export interface ScalarsOfCall {
  readonly sequence: number;
  readonly values: Float64Array;
}

export interface ScalarSums {
  readonly totals: Float64Array;
  /** Numbers of the calls, by rank. */
  readonly calls: readonly number[];
}

/** Collects numbers of all workers, and adds them up in the order of the ranks when the last ones are there. Pure but for what it holds. */
export class ScalarTable {
  /** By rank. */
  readonly #given: (ScalarsOfCall | null)[];

  constructor(workers: number) {
    this.#given = new Array<ScalarsOfCall | null>(workers).fill(null);
  }

  /**
   * @returns the sums, when these were the last; null: others are missing
   * @throws RangeError for a rank that there isn't, that is there already, or that has another count of numbers
   */
  add(rank: number, given: ScalarsOfCall): ScalarSums | null {
    if (this.#given[rank] !== null) throw new RangeError(`numbers of rank ${rank}, which has given some already`);
    this.#given[rank] = given;
    const all = this.#given.filter((one) => one !== null);
    if (all.length < this.#given.length) return null;
    this.#given.fill(null);
    const totals = new Float64Array(given.values.length);
    for (const { values } of all) {
      if (values.length !== totals.length) throw new RangeError(`${values.length} numbers, expected ${totals.length}`);
      for (const [index, value] of values.entries()) totals[index] = (totals[index] ?? 0) + value;
    }
    return { totals, calls: all.map(({ sequence }) => sequence) };
  }
}
