import { ADDRESSABLE_BYTES, alignedAddress, FIRST_ADDRESS } from "../../shared/address-space.js";
import { RingstrasseError } from "../../shared/failure.js";
import type { Address } from "./kernels.js";

const PAGE_BYTES = 65536;
const MAXIMUM_PAGES = ADDRESSABLE_BYTES / PAGE_BYTES;

/** What a memory is for, as its failures say it. */
export interface MemoryUse {
  /** In the plural. */
  readonly contents: string;
  /** When they are larger than 4 GiB. */
  readonly remedy: string;
}

const ARENAS: MemoryUse = {
  contents: "the model's arenas",
  remedy: "Use a smaller model, fewer replicas, or more workers, so that each holds fewer gradient arenas",
};

/**
 * One shared WebAssembly memory, such as that of a worker's arenas: kernels and other threads work on what lies there in place.
 * Buffers live until `reset`; there is no other free. Allocate from one thread only.
 */
export class SharedMemory {
  /** For other threads: post it, and address buffers by the numbers that `allocate` gave. */
  readonly memory: WebAssembly.Memory;
  readonly #use: MemoryUse;
  #end = FIRST_ADDRESS;

  constructor(use: MemoryUse = ARENAS) {
    this.#use = use;
    this.memory = new WebAssembly.Memory({ initial: 1, maximum: MAXIMUM_PAGES, shared: true });
  }

  /** Bytes handed out so far, alignment gaps included. */
  get usedBytes(): number {
    return this.#end;
  }

  /**
   * Zeroed memory of `bytes` bytes. May grow the memory: views taken earlier stay valid.
   * @param alignment a power of two; see {@link alignedAddress}
   * @throws RingstrasseError ENGINE_UNAVAILABLE beyond 4 GiB, or when the machine has no more memory.
   */
  allocate(bytes: number, alignment?: number): Address {
    if (!Number.isSafeInteger(bytes) || bytes < 0) throw new RangeError(`can't allocate ${bytes} bytes`);
    if (alignment !== undefined && !Number.isInteger(Math.log2(alignment)))
      throw new RangeError(`alignment ${alignment} is no power of two`);
    const address = alignedAddress(this.#end, alignment);
    this.#growTo(address + bytes);
    this.#end = address + bytes;
    return address;
  }

  /**
   * Takes everything back and zeroes it, for the next user: no buffer of an earlier one may be in use. What was never written stays
   * unwritten, so that the system need not give memory for it: a window over shared memory (exchange-window.ts) is such a place afterwards.
   */
  reset(): void {
    const zeros = Buffer.alloc(PAGE_BYTES);
    for (let from = 0; from < this.#end; from += PAGE_BYTES) {
      const page = Buffer.from(this.memory.buffer, from, Math.min(PAGE_BYTES, this.#end - from));
      if (page.compare(zeros, 0, page.byteLength) !== 0) page.fill(0);
    }
    this.#end = FIRST_ADDRESS;
  }

  /** A view of `length` floats; it sees all writes of all threads, without order unless they synchronise. */
  float32(address: Address, length: number): Float32Array<ArrayBufferLike> {
    return new Float32Array(this.memory.buffer, address, length);
  }

  float64(address: Address, length: number): Float64Array<ArrayBufferLike> {
    return new Float64Array(this.memory.buffer, address, length);
  }

  #growTo(end: number): void {
    const pages = Math.ceil(end / PAGE_BYTES);
    if (pages > MAXIMUM_PAGES) {
      throw new RingstrasseError({
        code: "ENGINE_UNAVAILABLE",
        engine: "wasm",
        problem: `${this.#use.contents} need ${gibibytes(end)} of shared memory in this worker, the limit is 4 GiB`,
        remedy: this.#use.remedy,
      });
    }
    const missing = pages - this.memory.buffer.byteLength / PAGE_BYTES;
    if (missing <= 0) return;
    try {
      this.memory.grow(missing);
    } catch (cause) {
      throw new RingstrasseError(
        {
          code: "ENGINE_UNAVAILABLE",
          engine: "wasm",
          problem: `the machine refuses ${gibibytes(end)} of memory for ${this.#use.contents}`,
          remedy: "Free memory or raise the process's limit (ulimit -v, container or job limit)",
        },
        { cause },
      );
    }
  }
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(2)} GiB`;
}
