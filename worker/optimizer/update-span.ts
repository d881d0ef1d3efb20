import { ALIGNMENT_FLOATS } from "../../shared/arena-layout.js";
import type { Address } from "../kernels/kernels.js";
import type { OptimizerUpdate } from "./optimizer.js";

const FLOAT_BYTES = 4;

/** Where one update reads and writes: the request's arenas, moved on to its first float. */
export interface UpdateSpan {
  readonly current: Address;
  readonly next: Address;
  readonly sums: Address;
  /** Address in the `index`-th state arena. @throws RangeError when the request has no such arena. */
  currentState(index: number): Address;
  nextState(index: number): Address;
}

/** @throws RangeError when the request's span, divisor or step can't be. */
export function updateSpan(request: OptimizerUpdate): UpdateSpan {
  const { from, length, divisor, step } = request;
  if (from % ALIGNMENT_FLOATS !== 0 || length % ALIGNMENT_FLOATS !== 0 || from < 0 || length < 0) {
    throw new RangeError(`floats ${from}..${from + length} of an arena are not whole groups of ${ALIGNMENT_FLOATS}`);
  }
  if (!(divisor >= 1)) throw new RangeError(`an update divides by the rows of its step or more, not by ${divisor}`);
  if (!Number.isInteger(step) || step < 1) throw new RangeError(`updates are counted from 1, but step is ${step}`);
  const offset = from * FLOAT_BYTES;
  const stateAddress = (arenas: readonly Address[], index: number): Address => {
    const base = arenas[index];
    if (base === undefined) throw new RangeError(`state arena ${index} is missing: ${arenas.length} given`);
    return base + offset;
  };
  return {
    current: request.current.parameters + offset,
    next: request.next.parameters + offset,
    sums: request.sums + offset,
    currentState: (index) => stateAddress(request.current.state, index),
    nextState: (index) => stateAddress(request.next.state, index),
  };
}
