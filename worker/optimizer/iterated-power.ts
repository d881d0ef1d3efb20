/**
 * base¹, base², … in float64 by repeated multiplication: `Math.pow` may differ between machines and versions.
 * Steps usually rise by one (O(1)); any other step is computed anew from the start (O(step)), so resuming gives the same bits.
 */
export class IteratedPower {
  readonly #base: number;
  #exponent = 0;
  #power = 1;

  constructor(base: number) {
    this.#base = base;
  }

  /** @param exponent a whole number ≥ 0. */
  at(exponent: number): number {
    if (!Number.isInteger(exponent) || exponent < 0)
      throw new RangeError(`exponent ${exponent} is no whole number ≥ 0`);
    if (exponent < this.#exponent) {
      this.#exponent = 0;
      this.#power = 1;
    }
    for (; this.#exponent < exponent; this.#exponent++) this.#power *= this.#base;
    return this.#power;
  }
}
