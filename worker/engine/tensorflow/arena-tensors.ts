import type { NativeBinding, TensorId } from "./native-binding.js";

/** One tensor's place in an arena, floats, and the shape to give it. */
export interface ArenaPlace {
  readonly offset: number;
  readonly length: number;
  readonly shape: readonly number[];
}

const ALIGNMENT_BYTES = 64;
const PAGE_BYTES = 65536;

/** Memory that others may see change, placed so that the library can use it without copying. */
export function isAlignedSharedMemory({ buffer, byteOffset }: Float32Array): boolean {
  return buffer instanceof SharedArrayBuffer && byteOffset % ALIGNMENT_BYTES === 0;
}

/** `length` floats, aligned: WebAssembly memories begin at a page. Zero. */
export function alignedArena(length: number): Float32Array {
  const pages = Math.max(1, Math.ceil((length * Float32Array.BYTES_PER_ELEMENT) / PAGE_BYTES));
  return new Float32Array(new WebAssembly.Memory({ initial: pages, maximum: pages, shared: false }).buffer, 0, length);
}

/** Library tensors that look into an arena, one per place. They keep the arena's memory alive until they are deleted. */
export class ArenaTensors implements Disposable {
  readonly ids: readonly TensorId[];
  readonly arena: Float32Array;
  readonly #binding: NativeBinding;

  constructor(binding: NativeBinding, arena: Float32Array, places: readonly ArenaPlace[]) {
    this.#binding = binding;
    this.arena = arena;
    this.ids = places.map(({ offset, length, shape }) =>
      binding.createTensor(shape, binding.TF_FLOAT, arena.subarray(offset, offset + length)),
    );
  }

  [Symbol.dispose](): void {
    for (const id of this.ids) this.#binding.deleteTensor(id);
  }
}

/** What was made for an arena, found again by where it lies: a worker uses a handful of arenas, in turn. */
export class ByArena<T> {
  readonly #byBuffer = new Map<ArrayBufferLike, Map<number, T>>();

  get({ buffer, byteOffset }: Float32Array): T | undefined {
    return this.#byBuffer.get(buffer)?.get(byteOffset);
  }

  set({ buffer, byteOffset }: Float32Array, value: T): void {
    const offsets = this.#byBuffer.get(buffer) ?? new Map<number, T>();
    this.#byBuffer.set(buffer, offsets.set(byteOffset, value));
  }

  values(): T[] {
    return [...this.#byBuffer.values()].flatMap((offsets) => [...offsets.values()]);
  }
}
