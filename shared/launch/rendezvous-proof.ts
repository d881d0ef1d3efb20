import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** Numbers that both ends of a connection have thrown in, so that no proof can be used a second time. */
export interface Nonces {
  readonly rank: string;
  readonly rankZero: string;
}

/** Who proves what: rank 0 that it is the run's, a rank its place, and rank 0 what it says. */
export type ProofRole = "rank 0" | "rank" | "said";

/** Of one connection. */
export function newNonce(): string {
  return randomBytes(16).toString("hex");
}

/**
 * The key of one run: HMAC-SHA-256 of what it is the run of, under the secret that its ranks share. Ranks of another run have another key,
 * though their secret be the same. The secret itself never goes over the network.
 */
export function rendezvousKey(secret: string, scope: string): Buffer {
  return createHmac("sha256", secret).update(`ringstrasse rendezvous 1\n${scope}`).digest();
}

/** Shows, to who has the key, that the sender has it and says `text`, in this connection and this role. Hex. */
export function proofOf(key: Buffer, role: ProofRole, nonces: Nonces, text = ""): string {
  return createHmac("sha256", key).update(`${role}\n${nonces.rank}\n${nonces.rankZero}\n${text}`).digest("hex");
}

/** In constant time. */
export function isProof(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}
