/** An IDX file of unsigned bytes: header and items. */
export function idxFile(dimensions: readonly number[], bytes: ArrayLike<number>, type = 0x08): Buffer {
  const header = Buffer.alloc(4 + 4 * dimensions.length);
  header[2] = type;
  header[3] = dimensions.length;
  for (const [index, size] of dimensions.entries()) header.writeUInt32BE(size, 4 + 4 * index);
  return Buffer.concat([header, Buffer.from(Uint8Array.from(bytes))]);
}
