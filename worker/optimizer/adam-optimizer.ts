import type { Kernels } from "../kernels/kernels.js";
import { IteratedPower } from "./iterated-power.js";
import type { Optimizer, OptimizerUpdate } from "./optimizer.js";
import { updateSpan } from "./update-span.js";

/** Decays β in [0, 1); `weightDecay` λ ≥ 0. */
export interface AdamSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

/**
 * Adam (Kingma and Ba, ICLR 2015) and, with λ > 0, AdamW (Loshchilov and Hutter, ICLR 2019).
 *
 * β is rounded to float32 first, and everything else follows from the rounded value: the kernel's 1 − β (exact in float32 for
 * β ≥ ½) and the powers in the bias corrections (float64). So the weights of a mean sum to exactly what its correction divides
 * by: with 0.999 and a rounded 1 − 0.999 side by side, second moments would be off by 1.3e-5 in the first steps.
 */
export class AdamOptimizer implements Optimizer {
  readonly stateNames: readonly string[] = ["mean", "variance"];
  readonly initialState: readonly number[] = [0, 0];
  readonly #settings: AdamSettings;
  readonly #kernels: Kernels;
  readonly #power1: IteratedPower;
  readonly #power2: IteratedPower;

  constructor(settings: AdamSettings, kernels: Kernels) {
    this.#settings = settings;
    this.#kernels = kernels;
    this.#power1 = new IteratedPower(Math.fround(settings.beta1));
    this.#power2 = new IteratedPower(Math.fround(settings.beta2));
  }

  /** @throws RangeError for a span, divisor or step that can't be. */
  update(request: OptimizerUpdate): boolean {
    const span = updateSpan(request);
    const { beta1, beta2, epsilon, weightDecay } = this.#settings;
    const finite = this.#kernels.adam(
      span.next,
      span.nextState(0),
      span.nextState(1),
      span.current,
      span.currentState(0),
      span.currentState(1),
      span.sums,
      request.length,
      request.divisor,
      request.learningRate,
      beta1,
      beta2,
      epsilon,
      request.learningRate / (1 - this.#power1.at(request.step)),
      1 / Math.sqrt(1 - this.#power2.at(request.step)),
      weightDecay,
    );
    return finite === 1;
  }
}
