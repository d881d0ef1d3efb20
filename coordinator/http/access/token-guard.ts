import { createHash, timingSafeEqual } from "node:crypto";
import type { HttpTokens } from "../http-app.js";
import { HttpRefusal } from "../http-refusal.js";

/** Who may call a route: everybody, whoever has a token, whoever has the one for writing. */
export type Access = "public" | "read" | "write";

/**
 * Lets through what `authorization` entitles to. Without any tokens everything is open; with a token for reading alone nothing can be
 * written. Takes the same time for every wrong token. Pure.
 * @throws HttpRefusal 401 without a valid token, 403 with one for reading where it takes more
 */
export function checkToken(access: Access, authorization: string | undefined, tokens: HttpTokens): void {
  if (access === "public" || (tokens.read === null && tokens.write === null)) return;
  const given = bearerToken(authorization);
  const isWriter = isSame(given, tokens.write);
  const isReader = isSame(given, tokens.read);
  if (isWriter || (isReader && access === "read")) return;
  if (!isReader) throw unauthorised(authorization !== undefined);
  throw new HttpRefusal({
    status: 403,
    code: "FORBIDDEN",
    problem: "this token is for reading only",
    remedy: tokens.write === null ? "This server can't be written to" : "Use the token for writing",
    headers: { "www-authenticate": 'Bearer realm="ringstrasse", error="insufficient_scope"' },
  });
}

function bearerToken(authorization: string | undefined): string | null {
  const match = /^Bearer +([^\s]+) *$/i.exec(authorization ?? "");
  return match?.[1] ?? null;
}

/** Compares hashes: equally long, so that neither length nor content of the token shows in the time. */
function isSame(given: string | null, token: string | null): boolean {
  if (given === null || token === null) return false;
  return timingSafeEqual(sha256(given), sha256(token));
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function unauthorised(wasGiven: boolean): HttpRefusal {
  const error = wasGiven ? ', error="invalid_token"' : "";
  return new HttpRefusal({
    status: 401,
    code: "UNAUTHORISED",
    problem: wasGiven ? "this is not a token of this server" : "this server wants a token",
    remedy: "Send it in the header Authorization, as: Bearer TOKEN",
    headers: { "www-authenticate": `Bearer realm="ringstrasse"${error}` },
  });
}
