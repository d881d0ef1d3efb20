import { createPrivateKey, createPublicKey, randomBytes, scryptSync } from "node:crypto";
import { z85 } from "./z85.js";

/** Keys of one end of an encrypted link (CurveZMQ), in Z85. */
export interface LinkKeys {
  readonly publicKey: string;
  readonly secretKey: string;
}

/** Links of each purpose have keys of their own, of the same token: between coordinator and workers, and between workers. */
export type LinkPurpose = "control" | "gradients";

const SALTS: Readonly<Record<LinkPurpose, string>> = {
  control: "ringstrasse link keys 1",
  gradients: "ringstrasse gradient link keys 1",
};
const KEY_BYTES = 32;
/** 16 MiB and some 50 ms for every guess at a token; a run does it once or twice in each of its processes. */
const COST = { N: 2 ** 14, r: 8, p: 1 };
/** ASN.1 of a PKCS #8 private key of X25519, up to the key itself (RFC 8410). */
const PKCS8_X25519 = Buffer.from("302e020100300506032b656e04220420", "hex");

/** Whether an endpoint's links may be encrypted; a unix socket is guarded by its folder. */
export function isOnNetwork(endpoint: string): boolean {
  return endpoint.startsWith("tcp:");
}

/** What links at `endpoint` are encrypted with where those over the network have `keys`; null: they are not. */
export function keysAt(endpoint: string, keys: LinkKeys | null): LinkKeys | null {
  return isOnNetwork(endpoint) ? keys : null;
}

/**
 * The keys that everybody makes of a run's token: whoever listens holds the secret one, and whoever connects must know the public
 * one, so that neither end speaks to somebody without the token. What is sent is encrypted with keys of the connection (CurveZMQ,
 * https://rfc.zeromq.org/spec/26/): a token that leaks later opens nothing that was recorded before. The derivation is scrypt
 * (RFC 7914), which makes guessing at short tokens dear. About 50 ms.
 */
export function linkKeysOf(token: string, purpose: LinkPurpose): LinkKeys {
  return keysOf(scryptSync(token, SALTS[purpose], KEY_BYTES, COST));
}

/** Keys of a connection's own, for the end that connects: it shows by the other's public key, not by these, that it has the token. */
export function freshLinkKeys(): LinkKeys {
  return keysOf(randomBytes(KEY_BYTES));
}

function keysOf(secret: Buffer): LinkKeys {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_X25519, secret]), format: "der", type: "pkcs8" });
  const { x } = createPublicKey(key).export({ format: "jwk" });
  if (x === undefined) throw new Error("a public key of X25519 without its number");
  return { publicKey: z85(Buffer.from(x, "base64url")), secretKey: z85(secret) };
}
