import { createHash } from "node:crypto";

/** One `update` takes less than 2 GiB. */
const CHUNK_BYTES = 64 * 1024 * 1024;

/** SHA-256 of bytes of any length, lower-case hex. */
export function sha256(bytes: Uint8Array): string {
  const hash = createHash("sha256");
  for (let from = 0; from < bytes.byteLength; from += CHUNK_BYTES)
    hash.update(bytes.subarray(from, from + CHUNK_BYTES));
  return hash.digest("hex");
}
