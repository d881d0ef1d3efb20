import { isSendableToken, UNSENDABLE_TOKEN } from "../../../shared/api/token.js";

/** `token`: to be sent; null: there is none, and `problem` says why, unless nothing was entered. */
export interface EnteredToken {
  readonly token: string | null;
  readonly problem: string | null;
}

/**
 * What somebody entered as a token, without the blanks around it. One that can't be sent never gets an answer, so nobody would be asked
 * for another. Pure.
 */
export function readEnteredToken(text: string): EnteredToken {
  const token = text.trim();
  if (token === "") return { token: null, problem: null };
  if (isSendableToken(token)) return { token, problem: null };
  return {
    token: null,
    problem: `This can't be the token: ${UNSENDABLE_TOKEN}. Copy it again, and nothing around it.`,
  };
}
