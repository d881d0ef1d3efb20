/** 4 GiB: all that 32-bit addresses reach in a worker's memory. Must equal `--maximumMemory` of the kernels. */
export const ADDRESSABLE_BYTES = 2 ** 32;
/** Nothing lies at the lowest addresses, so that 0 is never somebody's buffer by accident. */
export const FIRST_ADDRESS = 1024;

/** Takes a part of a worker's memory, behind all that were taken before. @returns where it begins, in bytes */
export type Allocate = (bytes: number, alignment?: number) => number;

/** The first address from `end` on that a buffer may begin at. Pure. @param alignment a power of two; 64 is what native engines need to alias memory instead of copying it */
export function alignedAddress(end: number, alignment = 64): number {
  return Math.ceil(end / alignment) * alignment;
}

/** Bytes of a memory, its unused beginning and gaps included, in which `place` has taken what it needs. Pure where `place` does nothing but ask. */
export function bytesTaken(place: (allocate: Allocate) => void): number {
  let end = FIRST_ADDRESS;
  place((bytes, alignment) => {
    const address = alignedAddress(end, alignment);
    end = address + bytes;
    return address;
  });
  return end;
}
