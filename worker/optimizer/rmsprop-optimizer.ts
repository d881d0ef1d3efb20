import type { Kernels } from "../kernels/kernels.js";
import type { Optimizer, OptimizerUpdate } from "./optimizer.js";
import { updateSpan } from "./update-span.js";

/** `decay` ρ in [0, 1), `epsilon` > 0 (inside the root). */
export interface RmspropSettings {
  readonly decay: number;
  readonly epsilon: number;
}

/** RMSProp (Hinton, lecture 6e of "Neural networks for machine learning", 2012). */
export class RmspropOptimizer implements Optimizer {
  readonly stateNames: readonly string[] = ["squareAverage"];
  readonly initialState: readonly number[] = [0];
  readonly #settings: RmspropSettings;
  readonly #kernels: Kernels;

  constructor(settings: RmspropSettings, kernels: Kernels) {
    this.#settings = settings;
    this.#kernels = kernels;
  }

  /** @throws RangeError for a span, divisor or step that can't be. */
  update(request: OptimizerUpdate): boolean {
    const span = updateSpan(request);
    const { decay, epsilon } = this.#settings;
    const finite = this.#kernels.rmsprop(
      span.next,
      span.nextState(0),
      span.current,
      span.currentState(0),
      span.sums,
      request.length,
      request.divisor,
      request.learningRate,
      decay,
      epsilon,
    );
    return finite === 1;
  }
}
