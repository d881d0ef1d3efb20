import { RANDOM_PURPOSE, RandomStream } from "../../shared/random/random-stream.js";
import type { StepPosition } from "../../worker/engine/engine.js";

export interface DropoutKey {
  readonly seed: number;
  readonly position: StepPosition;
  /** Index of the layer. */
  readonly layer: number;
  /** Probability of a zero. */
  readonly rate: number;
}

/** What the kernel `dropoutMask` has to give, bit for bit, drawn number by number; written for tests only. */
export function dropoutFactors({ seed, position, layer, rate }: DropoutKey, length: number): Float32Array {
  const random = new RandomStream({ seed, purpose: RANDOM_PURPOSE.dropout, ...position, layer });
  const kept = 1 / (1 - rate);
  const mask = new Float32Array(length);
  for (let index = 0; index < length; index++) mask[index] = random.nextFloat() < rate ? 0 : kept;
  return mask;
}
