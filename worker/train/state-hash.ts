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
 * padding; then, with fp16, the state of the loss scale as float64. Equal hashes mean that training would go on alike.
 */
export function stateSha256(arenas: Arenas, current: 0 | 1, lossScale: readonly number[] = []): string {
  const hash = createHash("sha256");
  for (const tensor of stateTensors(arenas, current)) hash.update(bytesOf(tensor));
  hash.update(new Uint8Array(Float64Array.from(lossScale).buffer));
  return hash.digest("hex");
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
