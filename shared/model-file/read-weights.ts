import { open, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type ArenaLayout, savedTensors } from "../arena-layout.js";
import { isSystemError } from "../write-failure.js";
import { modelInvalid, modelUnreadable, RETRAIN } from "./model-failure.js";

/** Largest piece asked of one read: system calls give less than 2 GiB. */
const READ_CHUNK_BYTES = 64 * 1024 * 1024;

/**
 * The bytes of the weights files of a model, one after the other. Sizes are checked before anything is allocated.
 * @param names of the files, beside `topology` (the model.json that names them).
 * @throws RingstrasseError MODEL_INVALID when one is missing or unreadable, or together they don't have `expectedBytes`.
 */
export async function readWeights(
  topology: string,
  names: readonly string[],
  expectedBytes: number,
): Promise<Uint8Array> {
  const files = names.map((name) => join(dirname(topology), name));
  const sizes = await Promise.all(files.map(sizeOrNull));
  const missing = files[sizes.indexOf(null)];
  if (missing !== undefined)
    throw modelInvalid(missing, "the weights file that model.json names is not there", RETRAIN);
  const total = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
  if (total !== expectedBytes) {
    const file = files.length === 1 && files[0] !== undefined ? files[0] : topology;
    const problem = `the weights have ${total} bytes, but the model needs ${expectedBytes}${total < expectedBytes ? ": they are truncated" : ""}`;
    throw modelInvalid(file, problem, RETRAIN);
  }
  const weights = new Uint8Array(expectedBytes);
  let offset = 0;
  for (const [index, file] of files.entries()) {
    const length = sizes[index] ?? 0;
    await readInto(file, weights.subarray(offset, offset + length));
    offset += length;
  }
  return weights;
}

async function readInto(path: string, target: Uint8Array): Promise<void> {
  try {
    const file = await open(path, "r");
    try {
      for (let done = 0; done < target.byteLength; ) {
        const length = Math.min(READ_CHUNK_BYTES, target.byteLength - done);
        const { bytesRead } = await file.read(target, done, length, done);
        if (bytesRead === 0) throw modelInvalid(path, `it ends after ${done} of ${target.byteLength} bytes`, RETRAIN);
        done += bytesRead;
      }
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw modelUnreadable(path, cause);
  }
}

async function sizeOrNull(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (cause) {
    if (isSystemError(cause) && cause.code === "ENOENT") return null;
    throw modelUnreadable(path, cause);
  }
}

/** Spreads unpadded little-endian float32 weights, running statistics behind them, over an arena; padding is zero. A fresh array. Pure. */
export function weightsToArena(layout: ArenaLayout, weights: Uint8Array): Float32Array {
  const arena = new Float32Array(layout.paddedLength);
  const view = new DataView(weights.buffer, weights.byteOffset, weights.byteLength);
  let offset = 0;
  for (const slot of savedTensors(layout)) {
    for (let index = 0; index < slot.length; index++, offset += 4) {
      arena[slot.offset + index] = view.getFloat32(offset, true);
    }
  }
  return arena;
}
