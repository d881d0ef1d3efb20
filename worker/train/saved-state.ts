import type { ArenaSlot } from "../../shared/arena-layout.js";
import type { Span } from "../../shared/epoch-plan.js";
import type { Arenas } from "./arenas.js";
import { LOSS_SCALE_STATE } from "./loss-scaler.js";
import { stateArenasOf } from "./replica-states.js";

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

/** Bytes of all replicas' own state, which follow; 0 where they have none. */
export function replicaStateBytes(arenas: Arenas, replicas: number): number {
  const { layout } = arenas;
  const floats = layout.slots.reduce((sum, { length }) => sum + length, 0);
  return replicas * stateArenasOf(arenas) * floats * Float32Array.BYTES_PER_ELEMENT;
}

/**
 * The tensors of all replicas' own state, in the order in which they are saved: by replica, by state arena, by layer. Those of other workers'
 * replicas share one place, where they are written and forgotten.
 * @param arc this worker's replicas
 */
export function replicaStateTensors(arenas: Arenas, arc: Span, replicas: number): Float32Array[] {
  const { slots } = arenas.layout;
  const elsewhere = new Float32Array(Math.max(0, ...slots.map(({ length }) => length)));
  const stateArenas = stateArenasOf(arenas);
  return Array.from({ length: replicas * stateArenas }, (_, index) => {
    const replica = Math.floor(index / stateArenas);
    const own = arenas.replicaState[replica - arc.from]?.[index % stateArenas]?.values ?? null;
    return slots.map(({ offset, length }) =>
      own === null ? elsewhere.subarray(0, length) : own.subarray(offset, offset + length),
    );
  }).flat();
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

  /** @param current which copies to fill @param more tensors that follow the state: see {@link replicaStateTensors} */
  constructor(arenas: Arenas, current: 0 | 1, withLossScale: boolean, more: readonly Float32Array[] = []) {
    this.#lossScale = new Float64Array(withLossScale ? LOSS_SCALE_STATE : 0);
    const places = [...stateTensors(arenas, current).map(bytesIn), bytesIn(this.#lossScale), ...more.map(bytesIn)];
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
