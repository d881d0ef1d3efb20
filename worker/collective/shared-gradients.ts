import { blockSpan } from "../../shared/arena-layout.js";
import type { Span } from "../../shared/epoch-plan.js";
import type { AddressableMemory } from "./block-folder.js";
import type { ExchangeBuffers } from "./collective.js";

const FLOAT32_BYTES = 4;
const FLOAT64_BYTES = 8;
/** Places begin at multiples of this. */
const ALIGNMENT = 64;
const SETS = 2;

export interface SharedGradientsOptions {
  readonly buffers: ExchangeBuffers;
  /** What the addresses in `buffers` refer to. */
  readonly memory: AddressableMemory;
  /** Replicas of every worker, by rank. */
  readonly arcs: readonly Span[];
  readonly rank: number;
  /** Bytes of every worker's segment, by rank, this one's included; of {@link segmentSizeBytes} each. */
  readonly segments: readonly Uint8Array[];
}

/**
 * What the workers of one host see of each other: for each of two sets of exchanges every replica's gradients and scalars, and the
 * totals that a worker has folded. A segment is written by its own worker alone. Owns nothing.
 */
export class SharedGradients {
  readonly #options: SharedGradientsOptions;
  readonly #places: Places;

  constructor(options: SharedGradientsOptions) {
    this.#options = options;
    this.#places = new Places(options.buffers);
  }

  /** Copies one block of a local replica's gradients into this worker's segment. @returns its bytes */
  publish(block: number, sequence: number, replica: number): number {
    const { buffers, rank } = this.#options;
    const local = replica - this.#arc(rank).from;
    const source = (block === 0 ? buffers.scalars : buffers.gradients)[local];
    if (source === undefined) throw new RangeError(`replica ${replica} is not one of rank ${rank}`);
    const gradient = this.#local(source, block);
    this.#place(rank, block, sequence, local).set(gradient);
    return gradient.byteLength;
  }

  /** Copies the bytes of a total that this worker has folded, packed or not, into its segment. */
  publishTotal(block: number, sequence: number, total: Uint8Array): void {
    const { rank } = this.#options;
    this.#place(rank, block, sequence, this.#localCount(rank)).set(total);
  }

  /** A block that another worker has published: its bytes in place. */
  gradient(block: number, sequence: number, { rank, replica }: { rank: number; replica: number }): Uint8Array {
    return this.#place(rank, block, sequence, replica - this.#arc(rank).from);
  }

  /** The total of a block that worker `rank` has folded: its `sizeBytes` bytes in place. */
  total(block: number, sequence: number, { rank, sizeBytes }: { rank: number; sizeBytes: number }): Uint8Array {
    return this.#place(rank, block, sequence, this.#localCount(rank)).subarray(0, sizeBytes);
  }

  #place(rank: number, block: number, sequence: number, index: number): Uint8Array {
    const segment = this.#options.segments[rank];
    if (segment === undefined) throw new RangeError(`rank ${rank} shares no memory`);
    const slots = this.#localCount(rank) + 1;
    const slot = (sequence % SETS) * slots + index;
    const from = slot * this.#places.slotBytes + this.#places.offset(block);
    return segment.subarray(from, from + this.#places.sizeBytes(block));
  }

  #local(address: number, block: number): Uint8Array {
    const offset = block === 0 ? 0 : this.#places.arenaOffset(block);
    return new Uint8Array(this.#options.memory.buffer, address + offset, this.#places.sizeBytes(block));
  }

  #arc(rank: number): Span {
    const arc = this.#options.arcs[rank];
    if (arc === undefined) throw new RangeError(`there is no rank ${rank}`);
    return arc;
  }

  #localCount(rank: number): number {
    const { from, to } = this.#arc(rank);
    return to - from;
  }
}

type Sizes = Pick<ExchangeBuffers, "blocks" | "scalarCount">;

/** Bytes of a worker's segment: two sets of its replicas' gradients and scalars, and of its totals. */
export function segmentSizeBytes(buffers: Sizes, localReplicas: number): number {
  return SETS * (localReplicas + 1) * new Places(buffers).slotBytes;
}

/** Where the blocks of one replica lie in its slot: scalars first, then the arena. */
class Places {
  readonly #buffers: Sizes;
  readonly #arenaAt: number;
  readonly slotBytes: number;

  constructor(buffers: Sizes) {
    this.#buffers = buffers;
    this.#arenaAt = aligned(buffers.scalarCount * FLOAT64_BYTES);
    this.slotBytes = this.#arenaAt + aligned(buffers.blocks.paddedLength * FLOAT32_BYTES);
  }

  offset(block: number): number {
    return block === 0 ? 0 : this.#arenaAt + this.arenaOffset(block);
  }

  arenaOffset(block: number): number {
    return blockSpan(this.#buffers.blocks, block - 1).from * FLOAT32_BYTES;
  }

  sizeBytes(block: number): number {
    if (block === 0) return this.#buffers.scalarCount * FLOAT64_BYTES;
    const { from, to } = blockSpan(this.#buffers.blocks, block - 1);
    return (to - from) * FLOAT32_BYTES;
  }
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
