import { createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject } from "node:crypto";

/** One end's pair of keys for one connection (X25519): what is sealed with it nobody opens later, whatever secret leaks. */
export class EphemeralKey {
  /** For the other end, in hex. */
  readonly publicKey: string;
  readonly #privateKey: KeyObject;

  constructor() {
    const { publicKey, privateKey } = generateKeyPairSync("x25519");
    const { x } = publicKey.export({ format: "jwk" });
    if (x === undefined) throw new Error("a public key of X25519 without its number");
    this.publicKey = Buffer.from(x, "base64url").toString("hex");
    this.#privateKey = privateKey;
  }

  /** What both ends come to, and nobody else. @param other the other end's public key, in hex. @throws Error for one that is none */
  agree(other: string): Buffer {
    try {
      const x = Buffer.from(other, "hex").toString("base64url");
      const publicKey = createPublicKey({ key: { kty: "OKP", crv: "X25519", x }, format: "jwk" });
      return diffieHellman({ privateKey: this.#privateKey, publicKey });
    } catch (cause) {
      throw new Error("its public key is none of X25519", { cause });
    }
  }
}
