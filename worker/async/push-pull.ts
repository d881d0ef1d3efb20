import type { ExchangeReport } from "../collective/collective.js";
import type { MovedBytes } from "../collective/guarded-collective.js";
import type { Address } from "../kernels/kernels.js";

/** What a worker hands in, and asks for. */
export interface PushPull {
  /** Rows that its gradients are the sums over; 0: it hands in nothing. */
  readonly count: number;
  /** That its mean gradient is applied with. */
  readonly learningRate: number;
  /** Whether it completes a step of this worker's by that, and must wait while it is too far ahead. */
  readonly completesStep: boolean;
  /** Arena of gradient sums; read until the call has resolved. */
  readonly gradients: Address;
  /** Arena that it asks for: 0 the parameters, 1 … the optimizer's state in the order of its names. */
  readonly pulled: number;
  /** Arena of this worker's that takes it. */
  readonly into: Address;
}

export interface PushPullReport extends ExchangeReport {
  /** Updates by others that the parameters have seen between this worker's last pull and its push. */
  readonly staleness: number;
  /** Steps that the worker is ahead of the slowest, with this one. */
  readonly stepsAhead: number;
  /** Moved for the steps of others since the last call: by the worker that has the parameters; others serve nobody. */
  readonly served: MovedBytes;
}

export const NOTHING_SERVED: MovedBytes = { sentBytes: 0, receivedBytes: 0 };

/** Both together, and nothing else that they have. Pure. */
export function movedWith(one: MovedBytes, other: MovedBytes): MovedBytes {
  return { sentBytes: one.sentBytes + other.sentBytes, receivedBytes: one.receivedBytes + other.receivedBytes };
}

/** The part of a {@link PushPull} that travels. */
export type PushPullTerms = Pick<PushPull, "count" | "learningRate" | "completesStep" | "pulled">;
const TERMS = 4;
/** The part of a {@link PushPullReport} that travels. */
export type Grant = Pick<PushPullReport, "staleness" | "stepsAhead">;
const GRANT = 2;

/** Float64 numbers, as all of a frame's payload. */
export function encodeTerms({ count, learningRate, completesStep, pulled }: PushPullTerms): Uint8Array {
  return bytesOf([count, learningRate, Number(completesStep), pulled]);
}

/** @returns null for bytes that are none */
export function decodeTerms(payload: Uint8Array): PushPullTerms | null {
  const numbers = numbersOf(payload, TERMS);
  if (numbers === null) return null;
  const [count = 0, learningRate = 0, completes = 0, pulled = 0] = numbers;
  return { count, learningRate, completesStep: completes === 1, pulled };
}

export function encodeGrant({ staleness, stepsAhead }: Grant): Uint8Array {
  return bytesOf([staleness, stepsAhead]);
}

/** @returns null for bytes that are none */
export function decodeGrant(payload: Uint8Array): Grant | null {
  const numbers = numbersOf(payload, GRANT);
  if (numbers === null) return null;
  const [staleness = 0, stepsAhead = 0] = numbers;
  return { staleness, stepsAhead };
}

export function bytesOf(numbers: readonly number[]): Uint8Array {
  return new Uint8Array(Float64Array.from(numbers).buffer);
}

/** @returns null unless there are exactly `length` */
export function numbersOf(payload: Uint8Array, length: number): Float64Array | null {
  if (payload.byteLength !== length * Float64Array.BYTES_PER_ELEMENT) return null;
  // A copy: received bytes may lie anywhere.
  return new Float64Array(Uint8Array.from(payload).buffer);
}
