import { RANDOM_PURPOSE, RandomStream } from "../../shared/random/random-stream.js";
import type { StepPosition } from "./engine.js";

export interface DropoutKey {
  readonly seed: number;
  readonly position: StepPosition;
  /** Index of the layer. */
  readonly layer: number;
  /** Probability of a zero. */
  readonly rate: number;
}

/**
 * The factors of a dropout layer's inputs, row by row: 0 with probability `rate`, else 1 / (1 − rate) (Srivastava et al., JMLR 2014, in the
 * form that leaves predictions alone). A pure function of the key and the place: all engines drop the same inputs.
 */
export function dropoutMask({ seed, position, layer, rate }: DropoutKey, length: number): Float32Array {
  const random = new RandomStream({ seed, purpose: RANDOM_PURPOSE.dropout, ...position, layer });
  const kept = 1 / (1 - rate);
  const mask = new Float32Array(length);
  for (let index = 0; index < length; index++) mask[index] = random.nextFloat() < rate ? 0 : kept;
  return mask;
}
