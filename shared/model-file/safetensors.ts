import type { WeightEntry } from "./layers-model.js";

const LENGTH_BYTES = 8;
/** Readers map the file into memory: data that starts at a multiple of this can be used in place. */
const ALIGNMENT_BYTES = 8;

/**
 * What stands before the tensors in a safetensors file: the header's length (uint64, little-endian), then the header, JSON
 * padded with blanks so that the data is 8-byte aligned. The data follows: the tensors as they are, in this order, without gaps.
 * Format: https://github.com/huggingface/safetensors. Pure.
 * @param metadata becomes `__metadata__`; the format allows strings only.
 */
export function safetensorsHead(
  tensors: readonly WeightEntry[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const { name, shape } of tensors) {
    const end = offset + 4 * shape.reduce((product, size) => product * size, 1);
    header[name] = { dtype: "F32", shape, data_offsets: [offset, end] };
    offset = end;
  }
  const json = Buffer.from(JSON.stringify(header), "utf8");
  const paddedLength = Math.ceil(json.byteLength / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
  const head = Buffer.alloc(LENGTH_BYTES + paddedLength, " ");
  head.writeBigUInt64LE(BigInt(paddedLength), 0);
  json.copy(head, LENGTH_BYTES);
  return head;
}
