import { z } from "zod";
import type { LifelineNonces } from "./lifeline-proof.js";
import { isProof, proofOf } from "./proof.js";
import { understood } from "./understood.js";

const SignedWordsSchema = z.strictObject({ text: z.string(), proof: z.string() });
type SignedWords = z.infer<typeof SignedWordsSchema>;

/**
 * What one end of a lifeline says to the other once both have shown the token: every message carries a proof of itself and of its place in
 * the order, so that nobody on the way can change one, put one in, or say one again. Each end has one for either direction.
 */
export class LifelineWords {
  readonly #words: readonly string[];
  readonly #key: Buffer;
  #count = 0;

  /** @param key of the lifelines. @param speaker whose messages these are */
  constructor(key: Buffer, nonces: LifelineNonces, speaker: "rank" | "coordinator") {
    this.#key = key;
    this.#words = [`words of ${speaker}`, nonces.coordinator, nonces.rank];
  }

  /** The next message, as it is sent. */
  sign(message: object): SignedWords {
    const text = JSON.stringify(message);
    return { text, proof: this.#proofOf(text) };
  }

  /** The next message that came, not checked any further. @throws Error for one that the other end didn't say, or not now */
  heard(said: unknown): unknown {
    const { text, proof } = understood(SignedWordsSchema, said);
    if (!isProof(proof, this.#proofOf(text))) throw new Error("what it says is not its own");
    return JSON.parse(text);
  }

  #proofOf(text: string): string {
    return proofOf(this.#key, [...this.#words, this.#count++, text]);
  }
}
