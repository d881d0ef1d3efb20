import type { StepSums } from "../engine/engine.js";
import { VOTES } from "./replica-states.js";
import { readScalars, SCALARS, writeScalars } from "./step-scalars.js";

/** Of each step of a round: what a step's block has, then the length of the gradient times its rows. */
const STEP_SCALARS = SCALARS + 1;
const NORM_TIMES_ROWS = SCALARS;

/** What one replica, or all of them, computed in one step of a round. */
export interface RoundStepSums {
  readonly sums: StepSums;
  /** Σ over replicas of the length of their mean gradient times their rows; 0 where it is not measured. */
  readonly normTimesRows: number;
}

/** Float64 values of the scalar block of rounds with up to `steps` steps; the last one is for votes (replica-states.ts). */
export function roundScalarCount(steps: number): number {
  return steps * STEP_SCALARS + VOTES;
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
    const from = at * STEP_SCALARS;
    if (at < 0 || from + STEP_SCALARS >= this.#block.length) throw new RangeError(`a round has no step ${at} here`);
    return this.#block.subarray(from, from + STEP_SCALARS);
  }
}
