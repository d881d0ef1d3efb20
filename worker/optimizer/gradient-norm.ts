import { MAX_BLOCK_FLOATS } from "../../shared/arena-layout.js";
import type { Address, Kernels } from "../kernels/kernels.js";

const FLOAT_BYTES = 4;

export interface GradientSums {
  readonly address: Address;
  /** Floats: the trainable part of the arena, whose padding is zero. */
  readonly length: number;
  /** Rows that were summed over; at least 1. */
  readonly count: number;
}

/**
 * Euclidean norm of the mean gradient over all tensors, in float64: partial sums of squares over 65,536 floats each, added in order. It
 * depends on the sums' bits alone, so never on the number of workers. `Math.sqrt` is exact by IEEE 754. O(length).
 */
export function gradientNorm(kernels: Pick<Kernels, "sumOfSquares">, { address, length, count }: GradientSums): number {
  let squares = 0;
  for (let from = 0; from < length; from += MAX_BLOCK_FLOATS) {
    squares += kernels.sumOfSquares(address + from * FLOAT_BYTES, Math.min(MAX_BLOCK_FLOATS, length - from));
  }
  return Math.sqrt(squares) / count;
}

/**
 * What to divide the sums by, so that the mean gradient is no longer than `limit` (Pascanu, Mikolov and Bengio, "On the difficulty of
 * training recurrent neural networks", ICML 2013): sums / (count · norm / limit) = mean · limit / norm. The count itself where nothing has
 * to be clipped, so that such a step keeps its bits. A norm that is NaN clips nothing, and is found in the update.
 */
export function clippedDivisor(count: number, norm: number, limit: number): number {
  return norm > limit ? count * (norm / limit) : count;
}
