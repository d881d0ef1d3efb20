import { isUtf8 } from "node:buffer";

/** Checks text that comes in pieces; a character may lie across two of them. */
export class Utf8Check {
  #carried: Uint8Array = new Uint8Array(0);

  /** @returns how many bytes of `piece` come before the first byte that is not UTF-8; its length when all is well */
  validLength(piece: Uint8Array): number {
    const carried = this.#carried.byteLength;
    const bytes = carried === 0 ? piece : Buffer.concat([this.#carried, piece]);
    const whole = completeLength(bytes);
    if (isUtf8(bytes.subarray(0, whole))) {
      this.#carried = bytes.slice(whole);
      return piece.byteLength;
    }
    return Math.max(0, firstInvalid(bytes) - carried);
  }

  /** Whether the text ends in the middle of a character. */
  get incomplete(): boolean {
    return this.#carried.byteLength > 0;
  }
}

/** Length without a character that has begun at the very end, but needs more bytes. */
function completeLength(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.byteLength); back++) {
    const byte = bytes[bytes.byteLength - back] ?? 0;
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return size > back ? bytes.byteLength - back : bytes.byteLength;
  }
  return bytes.byteLength;
}

/** Bisection: a prefix stays invalid once it holds an invalid byte. O(n log n), for the one faulty piece only. */
function firstInvalid(bytes: Uint8Array): number {
  let valid = 0;
  let invalid = bytes.byteLength;
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >>> 1;
    const prefix = bytes.subarray(0, middle);
    if (isUtf8(prefix.subarray(0, completeLength(prefix)))) valid = middle;
    else invalid = middle;
  }
  return valid;
}
