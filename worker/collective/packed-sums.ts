import { type BlockPlan, blockSpan } from "../../shared/arena-layout.js";
import type { Span } from "../../shared/epoch-plan.js";
import { unreachable } from "../../shared/unreachable.js";
import type { Address, Kernels } from "../kernels/kernels.js";
import type { ExchangeBuffers, PackedBuffers } from "./collective.js";

const PACKED_BYTES = 2;
const FLOAT32_BYTES = 4;

/** The kernels of one 16-bit format. */
interface Format {
  pack(destination: Address, source: Address, length: number, scale: number): void;
  add(destination: Address, a: Address, b: Address, length: number, scale: number): void;
  unpack(destination: Address, source: Address, length: number, scale: number): void;
}

export type PackingKernels = Pick<
  Kernels,
  "packBf16" | "addBf16" | "unpackBf16" | "packFp16" | "addFp16" | "unpackFp16"
>;

/**
 * Partial sums of arena blocks in 16 bits, as they travel: rounded to nearest even after every replica, `p₀ = rn(g_s)` and
 * `p_k = rn(p_{k−1} + g)`, wherever the replicas live; hence the same bits for every number of workers. Totals are unpacked to float32
 * when they are complete. Blocks that reach beyond the packed part of the arena are none of its business. Owns nothing; one call at a
 * time.
 */
export class PackedSums {
  readonly #blocks: BlockPlan;
  readonly #buffers: PackedBuffers;
  readonly #sums: readonly [Address, Address];
  readonly #format: Format;
  #scale = 1;

  constructor(packed: PackedBuffers, { blocks, sums }: ExchangeBuffers, kernels: PackingKernels) {
    this.#blocks = blocks;
    this.#buffers = packed;
    this.#sums = sums;
    this.#format = formatOf(packed.format, kernels);
  }

  /** Whether a block, numbered as in an exchange, travels in 16 bits. */
  covers(block: number): boolean {
    return block > 0 && blockSpan(this.#blocks, block - 1).to <= this.#buffers.length;
  }

  sizeBytes(block: number): number {
    return this.#lengthOf(block) * PACKED_BYTES;
  }

  /** Where the sum of a block lies, packed. */
  address(block: number, sequence: number): Address {
    return this.#buffers.sums[sequence % 2 === 0 ? 0 : 1] + blockSpan(this.#blocks, block - 1).from * PACKED_BYTES;
  }

  /** What the gradients of the exchange that begins are multiplied by, and its totals divided by: a power of two. */
  scaleBy(scale: number): void {
    this.#scale = scale;
  }

  /** sum = rn(scale · gradient). @param gradient of the part's first float. @param part floats of the block, counted in it; default all */
  open(block: number, sequence: number, gradient: Address, part = this.#whole(block)): void {
    const sum = this.address(block, sequence) + part.from * PACKED_BYTES;
    this.#format.pack(sum, gradient, part.to - part.from, this.#scale);
  }

  /** sum = rn(sum + scale · gradient); `gradient` and `part` as for {@link open}. */
  add(block: number, sequence: number, gradient: Address, part = this.#whole(block)): void {
    const sum = this.address(block, sequence) + part.from * PACKED_BYTES;
    this.#format.add(sum, sum, gradient, part.to - part.from, this.#scale);
  }

  /** Writes a total, divided by the scale, to its place among the float32 sums. @returns bytes written; 0: not a packed block. */
  unpack(block: number, sequence: number, part?: Span): number {
    if (!this.covers(block)) return 0;
    const { from, to } = part ?? this.#whole(block);
    const sums = this.#sums[sequence % 2 === 0 ? 0 : 1];
    const destination = sums + (blockSpan(this.#blocks, block - 1).from + from) * FLOAT32_BYTES;
    const sum = this.address(block, sequence) + from * PACKED_BYTES;
    this.#format.unpack(destination, sum, to - from, 1 / this.#scale);
    return (to - from) * FLOAT32_BYTES;
  }

  #whole(block: number): Span {
    return { from: 0, to: this.#lengthOf(block) };
  }

  #lengthOf(block: number): number {
    const { from, to } = blockSpan(this.#blocks, block - 1);
    return to - from;
  }
}

function formatOf(format: PackedBuffers["format"], kernels: PackingKernels): Format {
  switch (format) {
    case "bf16":
      return { pack: kernels.packBf16, add: kernels.addBf16, unpack: kernels.unpackBf16 };
    case "fp16":
      return { pack: kernels.packFp16, add: kernels.addFp16, unpack: kernels.unpackFp16 };
    default:
      return unreachable(format);
  }
}
