import type { Kernels } from "../kernels/kernels.js";
import type { Optimizer, OptimizerUpdate } from "./optimizer.js";
import { updateSpan } from "./update-span.js";

/** Gradient descent: p' = p − lr·g. */
export class SgdOptimizer implements Optimizer {
  readonly stateNames: readonly string[] = [];
  readonly initialState: readonly number[] = [];
  readonly #learningRate: number;
  readonly #kernels: Kernels;

  constructor(learningRate: number, kernels: Kernels) {
    this.#learningRate = learningRate;
    this.#kernels = kernels;
  }

  /** @throws RangeError for a span, count or step that can't be. */
  update(request: OptimizerUpdate): boolean {
    const { next, current, sums } = updateSpan(request);
    const finite = this.#kernels.sgd(next, current, sums, request.length, request.count, this.#learningRate);
    return finite === 1;
  }
}
