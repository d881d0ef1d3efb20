import type { Kernels } from "../kernels/kernels.js";
import type { Optimizer, OptimizerUpdate } from "./optimizer.js";
import { updateSpan } from "./update-span.js";

/** `initialAccumulator` ≥ 0, `epsilon` > 0 (inside the root). */
export interface AdagradSettings {
  readonly initialAccumulator: number;
  readonly epsilon: number;
}

/** AdaGrad (Duchi, Hazan and Singer, JMLR 12, 2011), diagonal. */
export class AdagradOptimizer implements Optimizer {
  readonly stateNames: readonly string[] = ["accumulator"];
  readonly initialState: readonly number[];
  readonly #settings: AdagradSettings;
  readonly #kernels: Kernels;

  constructor(settings: AdagradSettings, kernels: Kernels) {
    this.initialState = [settings.initialAccumulator];
    this.#settings = settings;
    this.#kernels = kernels;
  }

  /** @throws RangeError for a span, divisor or step that can't be. */
  update(request: OptimizerUpdate): boolean {
    const span = updateSpan(request);
    const { epsilon } = this.#settings;
    const finite = this.#kernels.adagrad(
      span.next,
      span.nextState(0),
      span.current,
      span.currentState(0),
      span.sums,
      request.length,
      request.divisor,
      request.learningRate,
      epsilon,
    );
    return finite === 1;
  }
}
