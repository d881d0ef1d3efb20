import { z } from "zod";

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`));
const nonce = hex(16);
const publicKey = hex(32);
const proof = hex(32);
const whole = z.number().int().nonnegative();

/** Of these messages, and of what their proofs and seals are made of. */
export const RENDEZVOUS_VERSION = 2;

/** A rank → rank 0: who are you? */
export const RankAsksSchema = z.strictObject({
  kind: z.literal("ask"),
  version: z.literal(RENDEZVOUS_VERSION),
  nonce,
  publicKey,
});
/** Rank 0 → a rank: I have the run's key. And you? */
export const RankZeroAnswersSchema = z.strictObject({ kind: z.literal("answer"), nonce, publicKey, proof });
/** A rank → rank 0: I have it too, and am this rank. */
export const RankShowsSchema = z.strictObject({ kind: z.literal("show"), rank: whole, worldSize: whole, proof });
/** Rank 0 → a rank, as soon as it knows: a rendezvous as JSON text, closed by a {@link RendezvousSeal}. */
export const RankZeroSaysSchema = z.strictObject({ kind: z.literal("say"), sealed: z.base64() });

export type RendezvousMessage =
  | z.infer<typeof RankAsksSchema>
  | z.infer<typeof RankZeroAnswersSchema>
  | z.infer<typeof RankShowsSchema>
  | z.infer<typeof RankZeroSaysSchema>;
