import { createHash } from "node:crypto";
import { bytesOf, hashTensors } from "../../shared/arena-layout.js";
import type { Arenas } from "./arenas.js";

/** SHA-256 of the committed trainable weights, in layer order. */
export function weightsSha256(arenas: Arenas, current: 0 | 1): string {
  return hashTensors(arenas.layout, arenas.parameters[current].values);
}

/**
 * SHA-256 over trainable weights, then non-trainable state (no layer has any yet), then each state arena of the optimizer; each in
 * layer order, without padding. Equal hashes mean that training would go on alike.
 */
export function stateSha256(arenas: Arenas, current: 0 | 1): string {
  const hash = createHash("sha256");
  for (const pair of [arenas.parameters, ...arenas.state]) {
    const { values } = pair[current];
    for (const slot of arenas.layout.slots)
      hash.update(bytesOf(values.subarray(slot.offset, slot.offset + slot.length)));
  }
  return hash.digest("hex");
}

/** The trainable weights without padding, little-endian float32, in layer order: what model files hold. A copy. */
export function packWeights(arenas: Arenas, current: 0 | 1): Uint8Array {
  const { layout, parameters } = arenas;
  const packed = new Float32Array(layout.parameterCount);
  let at = 0;
  for (const slot of layout.slots) {
    packed.set(parameters[current].values.subarray(slot.offset, slot.offset + slot.length), at);
    at += slot.length;
  }
  return new Uint8Array(packed.buffer);
}
