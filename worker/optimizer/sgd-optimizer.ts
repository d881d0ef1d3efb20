import type { Kernels } from "../kernels/kernels.js";
import type { Optimizer, OptimizerUpdate } from "./optimizer.js";
import { updateSpan } from "./update-span.js";

/** Gradient descent: p' = p − lr·g. */
export class SgdOptimizer implements Optimizer {
  readonly stateNames: readonly string[] = [];
  readonly initialState: readonly number[] = [];
  readonly #kernels: Kernels;

  constructor(kernels: Kernels) {
    this.#kernels = kernels;
  }

  /** @throws RangeError for a span, divisor or step that can't be. */
  update(request: OptimizerUpdate): boolean {
    const { next, current, sums } = updateSpan(request);
    const { length, divisor, learningRate } = request;
    const finite = this.#kernels.sgd(next, current, sums, length, divisor, learningRate);
    return finite === 1;
  }
}
