/** Bytes [address, address + sizeBytes) of a worker's own memory. */
export interface MemorySpan {
  readonly address: number;
  readonly sizeBytes: number;
}

/** The part of a `WebAssembly.Memory` that is needed here; `buffer` is another one after the memory has grown. */
interface OwnMemory {
  readonly buffer: ArrayBufferLike;
}

/** Places begin at multiples of this. */
const ALIGNMENT = 64;

/** Which places of a shared segment mirror which spans of a worker's own memory: one behind the other, 64-byte aligned. */
export class MirrorPlan {
  /** Of a segment that mirrors all spans. */
  readonly sizeBytes: number;
  readonly #memory: OwnMemory;
  readonly #mirrored: readonly (MemorySpan & { readonly place: number })[];

  /** @param spans must not overlap: two of their bytes would have one place */
  constructor(memory: OwnMemory, spans: readonly MemorySpan[]) {
    let place = 0;
    this.#memory = memory;
    this.#mirrored = spans.map((span) => {
      const mirrored = { ...span, place };
      place += Math.ceil(span.sizeBytes / ALIGNMENT) * ALIGNMENT;
      return mirrored;
    });
    this.sizeBytes = place;
  }

  /** Where in the segment the mirror of these bytes begins; null when they don't lie in one span. */
  placeOf({ buffer, byteOffset, byteLength }: Uint8Array): number | null {
    if (buffer !== this.#memory.buffer) return null;
    const found = this.#mirrored.find(
      ({ address, sizeBytes }) => byteOffset >= address && byteOffset + byteLength <= address + sizeBytes,
    );
    return found === undefined ? null : found.place + byteOffset - found.address;
  }
}
