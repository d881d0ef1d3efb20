import { curveKeyPair } from "zeromq";
import { linkKeysOf } from "../../shared/transport/link-keys.js";

const known = new Map<string, string>();

/** Options of a raw ZeroMQ client that knows a run's token; none for a unix socket. */
export function curveClientOf(token: string, endpoint = "tcp:"): Record<string, string> {
  if (!endpoint.startsWith("tcp:")) return {};
  const serverKey = known.get(token) ?? linkKeysOf(token, "control").publicKey;
  known.set(token, serverKey);
  const { publicKey, secretKey } = curveKeyPair();
  return { curveServerKey: serverKey, curvePublicKey: publicKey, curveSecretKey: secretKey };
}
