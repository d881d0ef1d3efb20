import { z } from "zod";

/** What is wrong with a text that {@link isSendableToken} refuses; behind a name, or a colon. */
export const UNSENDABLE_TOKEN =
  "a token has no blanks, and no characters beyond printable ASCII: no header could carry them";

/**
 * Whether a client can send the text as `Authorization: Bearer TEXT` and every server read the same: others are sent in different
 * encodings, cut at a blank, or not at all. Pure.
 */
export function isSendableToken(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

/** A token of a server. */
export const TokenSchema = z
  .string()
  .min(8, "at least 8 characters")
  .refine(isSendableToken, { error: UNSENDABLE_TOKEN });
