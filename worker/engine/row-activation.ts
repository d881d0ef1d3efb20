import type { Activation } from "../../shared/model-spec.js";
import { unreachable } from "../../shared/unreachable.js";

/** Activation of one row, in float64. `z` and `activated` have the same length. NaN and infinities come through. */
export function activateRow(activation: Activation, z: Float64Array, activated: Float64Array): void {
  switch (activation) {
    case "linear":
      for (let k = 0; k < z.length; k++) activated[k] = z[k] as number;
      return;
    case "relu":
      // Math.max keeps NaN, where a comparison would give 0.
      for (let k = 0; k < z.length; k++) activated[k] = Math.max(z[k] as number, 0);
      return;
    case "tanh":
      for (let k = 0; k < z.length; k++) activated[k] = Math.tanh(z[k] as number);
      return;
    case "sigmoid":
      for (let k = 0; k < z.length; k++) activated[k] = 1 / (1 + Math.exp(-(z[k] as number)));
      return;
    case "softmax": {
      let largest = Number.NEGATIVE_INFINITY;
      for (let k = 0; k < z.length; k++) largest = Math.max(largest, z[k] as number);
      let sum = 0;
      for (let k = 0; k < z.length; k++) {
        const power = Math.exp((z[k] as number) - largest);
        activated[k] = power;
        sum += power;
      }
      for (let k = 0; k < z.length; k++) activated[k] = (activated[k] as number) / sum;
      return;
    }
    default:
      unreachable(activation);
  }
}

/** Turns `gradient`, with respect to the activated row, into the one with respect to its weighted sums, in place. */
export function backpropagateRow(activation: Activation, activated: Float64Array, gradient: Float64Array): void {
  switch (activation) {
    case "linear":
      return;
    case "relu":
      for (let k = 0; k < activated.length; k++)
        gradient[k] = (gradient[k] as number) * slopeOfRelu(activated[k] as number);
      return;
    case "tanh":
      for (let k = 0; k < activated.length; k++) {
        gradient[k] = (gradient[k] as number) * (1 - (activated[k] as number) ** 2);
      }
      return;
    case "sigmoid":
      for (let k = 0; k < activated.length; k++) {
        const a = activated[k] as number;
        gradient[k] = (gradient[k] as number) * a * (1 - a);
      }
      return;
    case "softmax": {
      let mean = 0;
      for (let k = 0; k < activated.length; k++) mean += (gradient[k] as number) * (activated[k] as number);
      for (let k = 0; k < activated.length; k++) {
        gradient[k] = (activated[k] as number) * ((gradient[k] as number) - mean);
      }
      return;
    }
    default:
      unreachable(activation);
  }
}

/** 1, 0, or NaN for NaN. */
function slopeOfRelu(activated: number): number {
  return activated > 0 ? 1 : activated * 0;
}
