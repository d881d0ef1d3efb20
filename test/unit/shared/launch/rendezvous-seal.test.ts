import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EphemeralKey } from "../../../../shared/launch/ephemeral-key.js";
import { newNonce } from "../../../../shared/launch/proof.js";
import { rendezvousKey } from "../../../../shared/launch/rendezvous-proof.js";
import { RendezvousSeal, type SealOptions } from "../../../../shared/launch/rendezvous-seal.js";

/** What both ends of one connection have. */
function ends(): { readonly rank: SealOptions; readonly rankZero: SealOptions } {
  const [own, other] = [new EphemeralKey(), new EphemeralKey()];
  const greetings = {
    rank: { nonce: newNonce(), publicKey: own.publicKey },
    rankZero: { nonce: newNonce(), publicKey: other.publicKey },
  };
  const shared = { key: rendezvousKey("secret", "scope"), greetings, claim: { rank: 1, worldSize: 4 } };
  return {
    rank: { ...shared, own, otherPublicKey: other.publicKey },
    rankZero: { ...shared, own: other, otherPublicKey: own.publicKey },
  };
}

describe("RendezvousSeal", () => {
  it("is opened at the other end", () => {
    const { rank, rankZero } = ends();
    for (const text of ["", "where to meet", "Straße ✓"]) {
      expect(new RendezvousSeal(rank).open(new RendezvousSeal(rankZero).close(text))).toBe(text);
    }
  });

  it("is opened by nobody who has anything else", () => {
    const { rank, rankZero } = ends();
    const sealed = new RendezvousSeal(rankZero).close("where to meet");
    const { greetings } = rank;
    const others: Partial<SealOptions>[] = [
      { key: rendezvousKey("secret", "another scope") },
      { own: new EphemeralKey() },
      { otherPublicKey: new EphemeralKey().publicKey },
      { claim: { rank: 2, worldSize: 4 } },
      { claim: { rank: 1, worldSize: 5 } },
      { greetings: { ...greetings, rank: { ...greetings.rank, nonce: newNonce() } } },
      { greetings: { rank: greetings.rankZero, rankZero: greetings.rank } },
    ];
    for (const other of others) {
      expect(() => new RendezvousSeal({ ...rank, ...other }).open(sealed)).toThrow(
        "what it says is not under its seal",
      );
    }
  });

  it("is broken by any change", () => {
    const { rank, rankZero } = ends();
    const sealed = Buffer.from(new RendezvousSeal(rankZero).close("where to meet"), "base64");
    const place = fc.nat(sealed.length - 1);
    fc.assert(
      fc.property(place, fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = Buffer.from(sealed);
        changed.writeUInt8(changed.readUInt8(at) ^ change, at);
        expect(() => new RendezvousSeal(rank).open(changed.toString("base64"))).toThrow("not under its seal");
      }),
    );
    fc.assert(
      fc.property(place, (length) => {
        const cut = sealed.subarray(0, length).toString("base64");
        expect(() => new RendezvousSeal(rank).open(cut)).toThrow("not under its seal");
      }),
    );
  });

  it("closes one text only, since its number is used up by it", () => {
    const seal = new RendezvousSeal(ends().rankZero);
    seal.close("one");
    expect(() => seal.close("two")).toThrow("a seal closes one text");
  });

  it("takes no public key that comes to the same with every other", () => {
    const { rank } = ends();
    for (const otherPublicKey of ["0".repeat(64), `01${"0".repeat(62)}`, ""]) {
      expect(() => new RendezvousSeal({ ...rank, otherPublicKey })).toThrow("its public key is none of X25519");
    }
  });
});
