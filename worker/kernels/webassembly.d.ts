// The part of WebAssembly's JavaScript interface that this project uses. @types/node leaves it to the compiler's "dom" library,
// which would let a window, a document and hundreds of other things that Node lacks pass the type check.
declare namespace WebAssembly {
  class Module {
    /** Branded, since classes without members are interchangeable. */
    private readonly compiled: true;
    constructor(bytes: Uint8Array);
  }

  class Instance {
    readonly exports: Record<string, unknown>;
    constructor(module: Module, imports: Record<string, Record<string, unknown>>);
  }

  interface MemoryDescriptor {
    /** In pages of 64 KiB. */
    initial: number;
    maximum: number;
    shared: boolean;
  }

  class Memory {
    /** A new object after every growth; older ones stay valid for their own length. */
    readonly buffer: SharedArrayBuffer;
    constructor(descriptor: MemoryDescriptor);
    /** @throws RangeError beyond the maximum or the machine's memory. */
    grow(pages: number): number;
  }

  function compile(bytes: Uint8Array): Promise<Module>;
}
