import type { Kernels } from "../kernels/kernels.js";
import type { Optimizer, OptimizerUpdate } from "./optimizer.js";
import { updateSpan } from "./update-span.js";

/**
 * Gradient descent with velocity, classical (Polyak 1964) or Nesterov's as Sutskever et al. (ICML 2013) compute it;
 * which of the two is the kernel's matter. The velocity gathers gradients, not changes: a new learning rate acts at once.
 */
export class MomentumOptimizer implements Optimizer {
  readonly stateNames: readonly string[] = ["velocity"];
  readonly initialState: readonly number[] = [0];
  readonly #settings: { readonly momentum: number };
  readonly #kernel: Kernels["momentum"];

  constructor(settings: { readonly momentum: number }, kernel: Kernels["momentum"]) {
    this.#settings = settings;
    this.#kernel = kernel;
  }

  /** @throws RangeError for a span, divisor or step that can't be. */
  update(request: OptimizerUpdate): boolean {
    const span = updateSpan(request);
    const { momentum } = this.#settings;
    const finite = this.#kernel(
      span.next,
      span.nextState(0),
      span.current,
      span.currentState(0),
      span.sums,
      request.length,
      request.divisor,
      request.learningRate,
      momentum,
    );
    return finite === 1;
  }
}
