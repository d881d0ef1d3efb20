import { createHash } from "node:crypto";
import { type ModelSpec, type ParameterSpec, parametersOf, type StatisticSpec, statisticsOf } from "./model-spec.js";

/** Floats; 64 bytes: what native engines need to alias memory instead of copying it. */
export const ALIGNMENT_FLOATS = 16;
/** 64 Ki floats = 256 KB: the best message size measured. */
export const MAX_BLOCK_FLOATS = 65536;

/** Where one parameter lies in an arena. Offsets and lengths in floats. */
export interface ArenaSlot extends ParameterSpec {
  readonly offset: number;
  /** Elements of the tensor; the padding behind it up to a multiple of 16 is zero. */
  readonly length: number;
}

/** Where one running statistic lies. In a parameter arena it holds the statistic, in a gradient arena the sum that moves it. */
export interface StatisticSlot extends StatisticSpec, ArenaSlot {}

/**
 * The flat arrangement of all trainable parameters in layer order, each padded with zeros to 16 floats; running statistics, where
 * a model has some, follow in layer order, so that they are folded and committed with the rest.
 * Parameters, gradients and optimizer state share it, so blocks, reduction, optimizer, checkpoint and hash are written once.
 */
export interface ArenaLayout {
  /** The trainable tensors. */
  readonly slots: readonly ArenaSlot[];
  /** Empty for most models. */
  readonly statistics: readonly StatisticSlot[];
  /** Floats of the trainable part, padding included: what optimizers work on. */
  readonly trainableLength: number;
  /** P: floats including padding and statistics; a multiple of 16. */
  readonly paddedLength: number;
  /** Trainable elements without padding. */
  readonly parameterCount: number;
}

/** The layout of a model's arenas. Pure. */
export function layoutOf(model: ModelSpec): ArenaLayout {
  return arenaLayout(parametersOf(model), statisticsOf(model));
}

export function arenaLayout(
  parameters: readonly ParameterSpec[],
  statistics: readonly StatisticSpec[] = [],
): ArenaLayout {
  let offset = 0;
  const place = <Spec extends ParameterSpec>(spec: Spec): Spec & ArenaSlot => {
    const length = spec.shape.reduce((product, size) => product * size, 1);
    const slot = { ...spec, offset, length };
    offset += ceilToAlignment(length);
    return slot;
  };
  const slots = parameters.map(place);
  const trainableLength = offset;
  const parameterCount = slots.reduce((sum, { length }) => sum + length, 0);
  return { slots, statistics: statistics.map(place), trainableLength, paddedLength: offset, parameterCount };
}

/** How the arena is cut for the fold; a function of the padded length and R alone, so N never enters. */
export interface BlockPlan {
  /** Floats per block; the last block may be shorter, but is a multiple of 16 too. */
  readonly blockLength: number;
  readonly blockCount: number;
  readonly paddedLength: number;
}

/** Block length min(65536, max(16, ceil16(⌈P/R⌉))). */
export function blockPlan(paddedLength: number, replicas: number): BlockPlan {
  const share = ceilToAlignment(Math.ceil(paddedLength / replicas));
  const blockLength = Math.min(MAX_BLOCK_FLOATS, Math.max(ALIGNMENT_FLOATS, share));
  return { blockLength, blockCount: Math.ceil(paddedLength / blockLength), paddedLength };
}

/** Floats [from, to) of arena block `index`, 0 ≤ index < blockCount. */
export function blockSpan(plan: BlockPlan, index: number): { from: number; to: number } {
  if (!Number.isInteger(index) || index < 0 || index >= plan.blockCount) {
    throw new RangeError(`block ${index} is outside 0..${plan.blockCount - 1}`);
  }
  const from = index * plan.blockLength;
  return { from, to: Math.min(from + plan.blockLength, plan.paddedLength) };
}

/** Names every tensor's place and the cut, so that workers which would exchange different things refuse each other at once. */
export function layoutHash(layout: ArenaLayout, plan: BlockPlan): string {
  const described = [...layout.slots, ...layout.statistics].map(
    ({ name, shape, offset }) => `${name}[${shape.join(",")}]@${offset}`,
  );
  described.push(`blocks ${plan.blockCount}x${plan.blockLength}/${plan.paddedLength}`);
  return createHash("sha256").update(described.join("\n")).digest("hex");
}

/** SHA-256, lower-case hex, over the tensors in layer order, little-endian float32, without padding. */
export function hashTensors(layout: ArenaLayout, arena: Float32Array): string {
  const hash = createHash("sha256");
  for (const slot of layout.slots) hash.update(bytesOf(arena.subarray(slot.offset, slot.offset + slot.length)));
  return hash.digest("hex");
}

/** All that a trained model consists of, in the order of its files: trainable tensors, then running statistics. */
export function savedTensors({ slots, statistics }: ArenaLayout): readonly ArenaSlot[] {
  return [...slots, ...statistics];
}

/** Bytes of {@link savedTensors} as float32, without padding. */
export function savedBytes(layout: ArenaLayout): number {
  return 4 * savedTensors(layout).reduce((sum, { length }) => sum + length, 0);
}

/** The bytes of an array, unshared (crypto refuses shared memory). Copies. */
export function bytesOf(floats: Float32Array | Uint32Array): Uint8Array {
  const copy = new Uint8Array(floats.byteLength);
  copy.set(new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength));
  return copy;
}

/** The slot that element `index` of an arena lies in; null in padding. */
export function slotAt(layout: ArenaLayout, index: number): ArenaSlot | null {
  const all = [...layout.slots, ...layout.statistics];
  return all.find((slot) => index >= slot.offset && index < slot.offset + slot.length) ?? null;
}

function ceilToAlignment(length: number): number {
  return Math.ceil(length / ALIGNMENT_FLOATS) * ALIGNMENT_FLOATS;
}
