import type { ArenaLayout, ArenaSlot } from "../../shared/arena-layout.js";
import { RANDOM_PURPOSE, RandomStream } from "../../shared/random/random-stream.js";
import { unreachable } from "../../shared/unreachable.js";

/**
 * Writes the parameters that a job starts with into `arena` (`layout.paddedLength` floats); padding becomes zero. A pure function
 * of layout and seed: each layer has its own stream, so no layer's numbers depend on another's size. Kernels are Glorot
 * uniform, ±√(6 / (fanIn + fanOut)) (Glorot and Bengio, AISTATS 2010), rounded to float32.
 */
export function writeInitialParameters(layout: ArenaLayout, seed: number, arena: Float32Array): void {
  if (arena.length !== layout.paddedLength) {
    throw new RangeError(`the arena has ${arena.length} floats, the layout ${layout.paddedLength}`);
  }
  arena.fill(0);
  const streams = new Map<number, RandomStream>();
  for (const slot of [...layout.slots, ...layout.statistics]) {
    const { layer } = slot;
    const random = streams.get(layer) ?? new RandomStream({ seed, purpose: RANDOM_PURPOSE.initialWeights, layer });
    streams.set(layer, random);
    fillSlot(slot, arena.subarray(slot.offset, slot.offset + slot.length), random);
  }
}

function fillSlot({ initial }: ArenaSlot, values: Float32Array, random: RandomStream): void {
  switch (initial.kind) {
    case "glorotUniform": {
      const limit = Math.sqrt(6 / (initial.fanIn + initial.fanOut));
      for (let index = 0; index < values.length; index++) values[index] = (2 * random.nextFloat() - 1) * limit;
      return;
    }
    case "constant":
      values.fill(initial.value);
      return;
    default:
      unreachable(initial);
  }
}
