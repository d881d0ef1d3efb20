import type { ArenaSlot } from "../../shared/arena-layout.js";
import type { Arenas } from "./arenas.js";
import { LOSS_SCALE_STATE } from "./loss-scaler.js";

/**
 * All that decides how training goes on from a position, in the order of `stateSha256`: trainable weights, then running statistics,
 * then each state arena of the optimizer; each in layer order, without padding. Views, so that they can be read and written.
 */
export function stateTensors({ layout, parameters, state }: Arenas, current: 0 | 1): Float32Array[] {
  const { slots, statistics } = layout;
  const views = (values: Float32Array, tensors: readonly ArenaSlot[]) =>
    tensors.map(({ offset, length }) => values.subarray(offset, offset + length));
  return [
    ...views(parameters[current].values, [...slots, ...statistics]),
    ...state.flatMap((pair) => views(pair[current].values, slots)),
  ];
}

/** Bytes of a saved state: the tensors as float32, then the state of the loss scale, where there is one, as float64. */
export function savedStateBytes(arenas: Arenas, withLossScale: boolean): number {
  const tensors = stateTensors(arenas, 0).reduce((sum, { byteLength }) => sum + byteLength, 0);
  return tensors + (withLossScale ? LOSS_SCALE_STATE * Float64Array.BYTES_PER_ELEMENT : 0);
}

/** The committed state, whose SHA-256 is `stateSha256`. @param into exactly so many bytes. Cost: one copy. */
export function packState(arenas: Arenas, current: 0 | 1, lossScale: readonly number[], into: Uint8Array): void {
  let at = 0;
  for (const part of [...stateTensors(arenas, current).map(bytesIn), bytesIn(Float64Array.from(lossScale))]) {
    into.set(part, at);
    at += part.byteLength;
  }
  if (at !== into.byteLength) throw new RangeError(`a state of ${at} bytes in ${into.byteLength}`);
}

/** Fills arenas with a saved state that comes in pieces, in order. */
export class StateFiller {
  readonly #places: readonly Uint8Array[];
  readonly #lossScale: Float64Array;
  #place = 0;
  #at = 0;

  /** @param current which copies to fill */
  constructor(arenas: Arenas, current: 0 | 1, withLossScale: boolean) {
    this.#lossScale = new Float64Array(withLossScale ? LOSS_SCALE_STATE : 0);
    const places = [...stateTensors(arenas, current).map(bytesIn), bytesIn(this.#lossScale)];
    this.#places = places.filter(({ byteLength }) => byteLength > 0);
  }

  /** @throws RangeError when it is more than there is room for */
  add(piece: Uint8Array): void {
    let from = 0;
    while (from < piece.byteLength) {
      const place = this.#places[this.#place];
      if (place === undefined) throw new RangeError(`${piece.byteLength - from} bytes of state too many`);
      const length = Math.min(piece.byteLength - from, place.byteLength - this.#at);
      place.set(piece.subarray(from, from + length), this.#at);
      from += length;
      this.#at += length;
      if (this.#at < place.byteLength) continue;
      this.#place += 1;
      this.#at = 0;
    }
  }

  /** Of the loss scale, once all pieces are there; empty where nothing scales. */
  get lossScale(): readonly number[] {
    return [...this.#lossScale];
  }
}

function bytesIn({ buffer, byteOffset, byteLength }: Float32Array | Float64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
