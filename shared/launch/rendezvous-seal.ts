import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";
import type { EphemeralKey } from "./ephemeral-key.js";
import { type Greetings, type RankClaim, wordsOf } from "./rendezvous-proof.js";

const CIPHER = "aes-256-gcm";
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

export interface SealOptions {
  /** Of the run. */
  readonly key: Buffer;
  readonly own: EphemeralKey;
  /** Of the other end, whose proof covers it. */
  readonly otherPublicKey: string;
  readonly greetings: Greetings;
  readonly claim: RankClaim;
}

/**
 * Closes what rank 0 says to one rank, over one connection: AES-256-GCM under a key that HKDF-SHA-256 (RFC 5869) makes of what both ephemeral
 * keys come to (X25519), the run's key, and all that was said before. Good for one text, since number and key are used up by it.
 */
export class RendezvousSeal {
  readonly #key: Buffer;
  readonly #iv: Buffer;
  #isUsed = false;

  /** Both ends make the same. @throws Error for a public key that is none */
  constructor({ key, own, otherPublicKey, greetings, claim }: SealOptions) {
    const { rank, worldSize } = claim;
    const said = JSON.stringify(["ringstrasse rendezvous 2 said", ...wordsOf(greetings), rank, worldSize]);
    const bytes = Buffer.from(hkdfSync("sha256", own.agree(otherPublicKey), key, said, KEY_BYTES + IV_BYTES));
    this.#key = bytes.subarray(0, KEY_BYTES);
    this.#iv = bytes.subarray(KEY_BYTES);
  }

  /** Once. @returns base64 */
  close(text: string): string {
    if (this.#isUsed) throw new Error("a seal closes one text");
    this.#isUsed = true;
    const cipher = createCipheriv(CIPHER, this.#key, this.#iv, { authTagLength: TAG_BYTES });
    return Buffer.concat([cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]).toString("base64");
  }

  /** @param sealed of {@link close} at the other end. @throws Error for anything else */
  open(sealed: string): string {
    const bytes = Buffer.from(sealed, "base64");
    try {
      const decipher = createDecipheriv(CIPHER, this.#key, this.#iv, { authTagLength: TAG_BYTES });
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]).toString("utf8");
    } catch (cause) {
      throw new Error("what it says is not under its seal", { cause });
    }
  }
}
