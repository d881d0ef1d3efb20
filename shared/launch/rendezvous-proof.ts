import { createHmac } from "node:crypto";
import { proofOf } from "./proof.js";

/** What one end of a connection has thrown in for this connection alone, in hex. */
export interface Greeting {
  readonly nonce: string;
  /** Of {@link EphemeralKey}. */
  readonly publicKey: string;
}

/**
 * What both have thrown in. Every proof covers all of it: none can be used a second time, and whoever lacks the run's key can't put a
 * public key of his own in the place of either.
 */
export interface Greetings {
  readonly rank: Greeting;
  readonly rankZero: Greeting;
}

/** Which rank asks, of a world of which size. */
export interface RankClaim {
  readonly rank: number;
  readonly worldSize: number;
}

/**
 * The key of one run: HMAC-SHA-256 of what it is the run of, under the secret that its ranks share. Ranks of another run have another key,
 * though their secret be the same, and so have those of another version of these messages. The secret itself never goes over the network.
 */
export function rendezvousKey(secret: string, scope: string): Buffer {
  return createHmac("sha256", secret).update(`ringstrasse rendezvous 2\n${scope}`).digest();
}

/** By which rank 0 shows that it has the key. Hex. */
export function proofOfRankZero(key: Buffer, greetings: Greetings): string {
  return proofOf(key, ["rank 0", ...wordsOf(greetings)]);
}

/** By which a rank shows that it has the key, and which it is. Hex. */
export function proofOfRank(key: Buffer, greetings: Greetings, { rank, worldSize }: RankClaim): string {
  return proofOf(key, ["rank", ...wordsOf(greetings), rank, worldSize]);
}

/** In the order in which they were said. */
export function wordsOf({ rank, rankZero }: Greetings): readonly string[] {
  return [rank.nonce, rank.publicKey, rankZero.nonce, rankZero.publicKey];
}
