import { ROUND_STEP_SCALARS, SCALARS } from "../../shared/scalar-count.js";
import type { StepSums } from "../engine/engine.js";
import { readScalars, writeScalars } from "./step-scalars.js";

const NORM_TIMES_ROWS = SCALARS;

/** What one replica, or all of them, computed in one step of a round. */
export interface RoundStepSums {
  readonly sums: StepSums;
  /** Σ over replicas of the length of their mean gradient times their rows; 0 where it is not measured. */
  readonly normTimesRows: number;
}

/**
 * The scalars of one round: of each of its steps, so that an exchange in which they are folded over the replicas makes up for those that
 * there was none after.
 */
export class RoundScalars {
  readonly #block: Float64Array;

  /** @param block of {@link roundScalarCount} values; a view */
  constructor(block: Float64Array) {
    this.#block = block;
  }

  /** @param at step of the round, from 0 */
  write(at: number, { sums, normTimesRows }: RoundStepSums): void {
    const block = this.#step(at);
    writeScalars(block, sums);
    block[NORM_TIMES_ROWS] = normTimesRows;
  }

  read(at: number): RoundStepSums {
    const block = this.#step(at);
    return { sums: readScalars(block), normTimesRows: block[NORM_TIMES_ROWS] ?? 0 };
  }

  #step(at: number): Float64Array {
    const from = at * ROUND_STEP_SCALARS;
    if (at < 0 || from + ROUND_STEP_SCALARS >= this.#block.length)
      throw new RangeError(`a round has no step ${at} here`);
    return this.#block.subarray(from, from + ROUND_STEP_SCALARS);
  }
}
