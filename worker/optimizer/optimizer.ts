import type { Address } from "../kernels/kernels.js";

/**
 * One parameter update on arenas in shared memory. Double-buffered: reads `current`, writes every element of `next`;
 * whoever commits swaps the two. State arenas have the parameters' layout.
 */
export interface Optimizer {
  /** Names of the state arenas, e.g. `["velocity"]`; their order is that of `state` below and of `stateSha256`. */
  readonly stateNames: readonly string[];
  /** What every element of each state arena (padding excepted, which is 0 and stays harmless) starts with. */
  readonly initialState: readonly number[];
  /**
   * @param step 1-based count of updates, for bias corrections (powers by iterated multiplication, so calls come in order).
   * @param from first float and @param length floats (multiples of 16) of the arenas: updates may go block by block.
   * @returns whether all parameters that it wrote are finite; after a sum that is not, none of its parameters is
   */
  update(request: OptimizerUpdate): boolean;
}

export interface OptimizerUpdate {
  /** 1-based number of this update. */
  readonly step: number;
  /** Base addresses of whole arenas. */
  readonly current: { readonly parameters: Address; readonly state: readonly Address[] };
  readonly next: { readonly parameters: Address; readonly state: readonly Address[] };
  /** Gradient sums over all rows of the step. */
  readonly sums: Address;
  /** What sums are divided by: the rows of the step; more of them where the gradient is clipped. At least 1. */
  readonly divisor: number;
  readonly learningRate: number;
  /** First float of the arenas to update, and how many; multiples of 16. */
  readonly from: number;
  readonly length: number;
}
