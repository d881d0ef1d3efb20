import { createHash } from "node:crypto";
import { bytesOf, hashTensors, savedBytes, savedTensors } from "../../shared/arena-layout.js";
import type { Arenas } from "./arenas.js";
import { stateTensors } from "./saved-state.js";

/** SHA-256 of the committed trainable weights, in layer order. */
export function weightsSha256(arenas: Arenas, current: 0 | 1): string {
  return hashTensors(arenas.layout, arenas.parameters[current].values);
}

/**
 * SHA-256 over trainable weights, then running statistics, then each state arena of the optimizer; each in layer order, without
 * padding; then, with fp16, the state of the loss scale as float64; then what replicas have of their own. Equal hashes mean that training
 * would go on alike.
 */
export class StateHash {
  readonly #hash = createHash("sha256");

  constructor(arenas: Arenas, current: 0 | 1, lossScale: readonly number[] = []) {
    for (const tensor of stateTensors(arenas, current)) this.add(tensor);
    this.#hash.update(new Uint8Array(Float64Array.from(lossScale).buffer));
  }

  /** A tensor of a replica's own state, in the order of saved states. */
  add(tensor: Float32Array): void {
    this.#hash.update(bytesOf(tensor));
  }

  digest(): string {
    return this.#hash.digest("hex");
  }
}

/** {@link StateHash} where replicas have no state of their own. */
export function stateSha256(arenas: Arenas, current: 0 | 1, lossScale: readonly number[] = []): string {
  return new StateHash(arenas, current, lossScale).digest();
}

/** Trainable weights, then running statistics, without padding, little-endian float32, each in layer order: what model files hold. A copy. */
export function packWeights(arenas: Arenas, current: 0 | 1): Uint8Array {
  const { layout, parameters } = arenas;
  const packed = new Float32Array(savedBytes(layout) / Float32Array.BYTES_PER_ELEMENT);
  let at = 0;
  for (const slot of savedTensors(layout)) {
    packed.set(parameters[current].values.subarray(slot.offset, slot.offset + slot.length), at);
    at += slot.length;
  }
  return new Uint8Array(packed.buffer);
}
