import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** A number of one connection's own, so that no proof can be used a second time. Hex. */
export function newNonce(): string {
  return randomBytes(16).toString("hex");
}

/** Shows, to who has the key, that the sender has it and says these words, none of which runs into the next. HMAC-SHA-256, hex. */
export function proofOf(key: Buffer, words: readonly (string | number)[]): string {
  return createHmac("sha256", key).update(JSON.stringify(words)).digest("hex");
}

/** In constant time. */
export function isProof(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}
