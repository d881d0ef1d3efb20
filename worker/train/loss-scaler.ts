import { LOSS_SCALES, type LossScale } from "../../shared/step-rules.js";

/** A dynamic scale is doubled after so many updates in a row that fitted. */
const UPDATES_BEFORE_GROWTH = 2000;
/** Numbers of its state. */
export const LOSS_SCALE_STATE = 3;

/**
 * What gradients are multiplied by before they are rounded to fp16, whose range is small (Micikevicius et al., "Mixed precision training",
 * ICLR 2018). A dynamic scale is halved when sums did not fit, and their step left out; it is doubled after 2,000 updates in a row. Every
 * worker sees the same sums, hence decides alike. A power of two, so that scaling changes no bits of what fits.
 */
export class LossScaler {
  readonly #isDynamic: boolean;
  #scale: number;
  #fitting = 0;
  #skipped = 0;

  /** @param state of a scaler before, see {@link state}; absent: the first one */
  constructor(scale: LossScale, state?: readonly number[]) {
    this.#isDynamic = scale.kind === "dynamic";
    this.#scale = scale.kind === "dynamic" ? scale.first : scale.scale;
    if (state === undefined) return;
    const [before, fitting, skipped] = state;
    if (before === undefined || fitting === undefined || skipped === undefined || state.length !== LOSS_SCALE_STATE)
      throw new RangeError(`the state of a loss scale has ${LOSS_SCALE_STATE} numbers, not ${state.length}`);
    this.#scale = before;
    this.#fitting = fitting;
    this.#skipped = skipped;
  }

  /** For the next exchange. */
  get scale(): number {
    return this.#scale;
  }

  /** Steps left out so far. */
  get skipped(): number {
    return this.#skipped;
  }

  /** All that decides the scales to come, beside the sums. */
  get state(): readonly number[] {
    return [this.#scale, this.#fitting, this.#skipped];
  }

  /** A step's sums were finite. */
  fitted(): void {
    this.#fitting++;
    if (!this.#isDynamic || this.#fitting < UPDATES_BEFORE_GROWTH) return;
    this.#fitting = 0;
    this.#scale = Math.min(LOSS_SCALES.largest, this.#scale * 2);
  }

  /** A step's sums were not finite. @returns whether the step is to be left out; false: no smaller scale is to be had */
  overflowed(): boolean {
    if (!this.#isDynamic || this.#scale <= LOSS_SCALES.smallest) return false;
    this.#scale /= 2;
    this.#fitting = 0;
    this.#skipped++;
    return true;
  }
}
