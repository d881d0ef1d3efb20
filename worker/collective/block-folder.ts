import { blockSpan } from "../../shared/arena-layout.js";
import type { Span } from "../../shared/epoch-plan.js";
import type { Address, Kernels } from "../kernels/kernels.js";
import type { ExchangeBuffers, TotalPlaces } from "./collective.js";
import { replicaOfTerm } from "./fold-terms.js";
import type { PackedSums } from "./packed-sums.js";

const FLOAT32_BYTES = 4;
const FLOAT64_BYTES = 8;

/** The part of a `WebAssembly.Memory` that is needed here; `buffer` is another one after the memory has grown. */
export interface AddressableMemory {
  readonly buffer: ArrayBufferLike;
}

export interface BlockFolderOptions {
  readonly kernels: Pick<Kernels, "add">;
  /** What the kernels and the addresses in `buffers` refer to. */
  readonly memory: AddressableMemory;
  readonly buffers: ExchangeBuffers;
  /** Replicas that `buffers.gradients` and `buffers.scalars` belong to. */
  readonly arc: Span;
  /** Holds the sums that travel in 16 bits; null or absent: none do. */
  readonly packed?: PackedSums | null;
}

/**
 * The one place where sums of gradients are formed: every ordered collective folds through it, so that all give the same
 * bits. Block 0 is the scalar block (float64), 1… are the arena's (float32, or 16 bits where {@link PackedSums} has them). Works in place,
 * in the set of sums that the exchange's parity chooses. Owns nothing; one call at a time.
 */
export class BlockFolder {
  readonly #options: BlockFolderOptions;

  /** @throws RangeError when there isn't one gradient arena and one scalar block for each replica of the arc. */
  constructor(options: BlockFolderOptions) {
    const { arc, buffers } = options;
    const expected = arc.to - arc.from;
    if (buffers.gradients.length !== expected || buffers.scalars.length !== expected) {
      const given = `${buffers.gradients.length} gradient arenas and ${buffers.scalars.length} scalar blocks`;
      throw new RangeError(`${given} for the ${expected} replicas ${arc.from}..${arc.to - 1}: one each is needed`);
    }
    this.#options = options;
  }

  /** Where the sums lie that it forms. */
  get totals(): TotalPlaces {
    const { sums, scalarSums } = this.#options.buffers;
    return { sums, scalarSums };
  }

  /** Bytes of each block's sum in an exchange, by block number: what travels. */
  blockBytes(withArena: boolean): number[] {
    const blocks = withArena ? 1 + this.#options.buffers.blocks.blockCount : 1;
    return Array.from({ length: blocks }, (_, block) => this.#sumBytes(block));
  }

  /** sums = g_from + g_{from+1} + …, folded left. */
  open(block: number, sequence: number, replicas: Span): void {
    const first = this.#source(block, replicas.from);
    const packed = this.#packedFor(block);
    if (packed !== null) {
      packed.open(block, sequence, first);
      this.fold(block, sequence, { from: replicas.from + 1, to: replicas.to });
      return;
    }
    if (replicas.to - replicas.from === 1) {
      const target = this.#target(block, sequence);
      // One replica in all: its gradients lie where their sums belong.
      if (target === first) return;
      new Uint8Array(this.#options.memory.buffer).copyWithin(target, first, first + this.#sumBytes(block));
      return;
    }
    this.#add(block, sequence, first, this.#source(block, replicas.from + 1));
    this.fold(block, sequence, { from: replicas.from + 2, to: replicas.to });
  }

  /** sums = ((sums + g_from) + g_{from+1}) + … */
  fold(block: number, sequence: number, replicas: Span): void {
    for (let replica = replicas.from; replica < replicas.to; replica++) {
      this.#addToSum(block, sequence, this.#source(block, replica));
    }
  }

  /**
   * A part of a block's total, of at least two replicas that all lie here: ((g_s + g_{s+1}) + …) from s = block mod R on. The same bits whatever the parts.
   * @param part floats of the block (scalars: numbers), counted in it, from a multiple of 16 to another, or to the block's end
   */
  foldPart(block: number, sequence: number, part: Span): void {
    const { from, to } = this.#options.arc;
    const replicas = to - from;
    const packed = this.#packedFor(block);
    const source = (term: number): Address =>
      this.#source(block, from + replicaOfTerm({ block, replicas }, term)) + part.from * elementBytes(block);
    if (packed !== null) {
      packed.open(block, sequence, source(0), part);
      for (let term = 1; term < replicas; term++) packed.add(block, sequence, source(term), part);
      packed.unpack(block, sequence, part);
      return;
    }
    const sum = this.#target(block, sequence) + part.from * elementBytes(block);
    this.#addNumbers(block, part, { sum, a: source(0), b: source(1) });
    for (let term = 2; term < replicas; term++) this.#addNumbers(block, part, { sum, a: sum, b: source(term) });
  }

  /** Floats of an arena's block, numbers of the scalar block. */
  lengthOf(block: number): number {
    return this.#gradientBytes(block) / elementBytes(block);
  }

  /** Bytes of each block of one replica's gradients, by block number. */
  gradientBytes(withArena: boolean): number[] {
    const blocks = withArena ? 1 + this.#options.buffers.blocks.blockCount : 1;
    return Array.from({ length: blocks }, (_, block) => this.#gradientBytes(block));
  }

  /** The sum of one replica, as it would travel, where it lies already: among the gradients. Null: it has to be formed by {@link open}. */
  openInPlace(block: number, { from, to }: Span): Uint8Array | null {
    return to - from === 1 && this.#packedFor(block) === null ? this.gradientView(block, from) : null;
  }

  /** Bytes of one block of a local replica's gradients, in place: sent from there without copying. */
  gradientView(block: number, replica: number): Uint8Array {
    return new Uint8Array(this.#options.memory.buffer, this.#source(block, replica), this.#gradientBytes(block));
  }

  /** sums = a gradient received from another worker, whose address may be misaligned. */
  openReceived(block: number, sequence: number, gradient: Uint8Array): void {
    const packed = this.#packedFor(block);
    if (packed === null) this.store(block, sequence, gradient);
    else packed.open(block, sequence, this.#taken(gradient));
  }

  /** sums = sums + a gradient received from another worker. */
  foldReceived(block: number, sequence: number, gradient: Uint8Array): void {
    this.#addToSum(block, sequence, this.#taken(gradient));
  }

  /** Copies a received sum, whose address may be misaligned and which WebAssembly can't reach, to its place, unless it has landed there. */
  store(block: number, sequence: number, payload: Uint8Array): void {
    const place = this.view(block, sequence);
    if (payload.buffer === place.buffer && payload.byteOffset === place.byteOffset) return;
    place.set(payload);
  }

  /** The bytes of a block's sum, in place: sent from there without copying. */
  view(block: number, sequence: number): Uint8Array {
    const address = this.#packedFor(block)?.address(block, sequence) ?? this.#target(block, sequence);
    return new Uint8Array(this.#options.memory.buffer, address, this.#sumBytes(block));
  }

  #addToSum(block: number, sequence: number, gradient: Address): void {
    const packed = this.#packedFor(block);
    if (packed === null) this.#add(block, sequence, this.#target(block, sequence), gradient);
    else packed.add(block, sequence, gradient);
  }

  #add(block: number, sequence: number, a: Address, b: Address): void {
    const whole = { from: 0, to: this.lengthOf(block) };
    this.#addNumbers(block, whole, { sum: this.#target(block, sequence), a, b });
  }

  /** @param at of the first number of each */
  #addNumbers(block: number, { from, to }: Span, at: Record<"sum" | "a" | "b", Address>): void {
    const { kernels, memory } = this.#options;
    const length = to - from;
    if (block > 0) {
      kernels.add(at.sum, at.a, at.b, length);
      return;
    }
    const left = new Float64Array(memory.buffer, at.a, length);
    const right = new Float64Array(memory.buffer, at.b, length);
    const sum = new Float64Array(memory.buffer, at.sum, length);
    for (let index = 0; index < length; index++) sum[index] = (left[index] ?? 0) + (right[index] ?? 0);
  }

  #packedFor(block: number): PackedSums | null {
    const { packed = null } = this.#options;
    return packed?.covers(block) === true ? packed : null;
  }

  /** Puts it where kernels reach it. */
  #taken(gradient: Uint8Array): Address {
    const { memory, buffers } = this.#options;
    if (buffers.inbox === undefined) throw new RangeError("no room for gradients of other workers");
    new Uint8Array(memory.buffer, buffers.inbox, gradient.byteLength).set(gradient);
    return buffers.inbox;
  }

  #sumBytes(block: number): number {
    return this.#packedFor(block)?.sizeBytes(block) ?? this.#gradientBytes(block);
  }

  #gradientBytes(block: number): number {
    const { blocks, scalarCount } = this.#options.buffers;
    if (block === 0) return scalarCount * FLOAT64_BYTES;
    const { from, to } = blockSpan(blocks, block - 1);
    return (to - from) * FLOAT32_BYTES;
  }

  #target(block: number, sequence: number): Address {
    const { scalarSums, sums } = this.#options.buffers;
    const set = sequence % 2 === 0 ? 0 : 1;
    return block === 0 ? scalarSums[set] : sums[set] + this.#offset(block);
  }

  #source(block: number, replica: number): Address {
    const { arc, buffers } = this.#options;
    const base = (block === 0 ? buffers.scalars : buffers.gradients)[replica - arc.from];
    if (base === undefined) throw new RangeError(`replica ${replica} is not one of ${arc.from}..${arc.to - 1}`);
    return base + this.#offset(block);
  }

  #offset(block: number): number {
    return block === 0 ? 0 : blockSpan(this.#options.buffers.blocks, block - 1).from * FLOAT32_BYTES;
  }
}

function elementBytes(block: number): number {
  return block === 0 ? FLOAT64_BYTES : FLOAT32_BYTES;
}
