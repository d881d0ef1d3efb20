import { describe, expect, it, onTestFinished } from "vitest";
import { deferred } from "../../../../shared/deferred.js";
import { freshLinkKeys, isOnNetwork, keysAt, linkKeysOf } from "../../../../shared/transport/link-keys.js";
import { DealerSocket, RouterSocket } from "../../../../shared/transport/zeromq-sockets.js";

const failNow = (error: unknown): never => {
  throw error;
};
const KEYS = linkKeysOf("a token", "control");

/** A server with the token's keys, and what a client with `serverKey` comes to. */
async function shakeHands(serverKey: string | null): Promise<string> {
  await using router = await RouterSocket.bind("tcp://127.0.0.1:0", failNow, KEYS);
  const outcome = deferred<string>();
  await using dealer = new DealerSocket("w", failNow, {
    serverKey,
    onHandshake: () => outcome.resolve("handshake"),
    onHandshakeFailed: () => outcome.resolve("failed"),
  });
  dealer.connect(router.endpoint);
  return await outcome.promise;
}

describe("link keys", () => {
  it("are the same for everybody with the token, and others for another token", () => {
    expect(linkKeysOf("a token", "control")).toEqual(KEYS);
    const { publicKey, secretKey } = linkKeysOf("another token", "control");
    expect(new Set([publicKey, secretKey, KEYS.publicKey, KEYS.secretKey]).size).toBe(4);
    for (const key of Object.values(KEYS)) expect(key).toHaveLength(40);
  });

  it("belong together: whoever knows the public one gets an encrypted link", async () => {
    await using router = await RouterSocket.bind("tcp://127.0.0.1:0", failNow, KEYS);
    const handlers = { onHandshake: () => undefined, onHandshakeFailed: () => failNow(new Error("no handshake")) };
    const dealer = new DealerSocket("w", failNow, { serverKey: KEYS.publicKey, ...handlers });
    onTestFinished(() => dealer.close());
    dealer.connect(router.endpoint);
    dealer.send([Buffer.from("hello")]);
    for await (const { frames, identity } of router) {
      expect(frames.map(String)).toEqual(["hello"]);
      router.send(identity, [Buffer.from("welcome")]);
      break;
    }
    for await (const frames of dealer) {
      expect(frames.map(String)).toEqual(["welcome"]);
      break;
    }
  });

  it("keep others out, with another key or with none", async () => {
    expect(await shakeHands(KEYS.publicKey)).toBe("handshake");
    expect(await shakeHands(linkKeysOf("another token", "control").publicKey)).toBe("failed");
    expect(await shakeHands(null)).toBe("failed");
  });

  it("are others for each purpose, and fresh ones are nobody else's", () => {
    const [own, other] = [freshLinkKeys(), freshLinkKeys()];
    const all = [KEYS, linkKeysOf("a token", "gradients"), own, other].flatMap((keys) => Object.values(keys));
    expect(new Set(all).size).toBe(8);
    for (const key of all) expect(key).toHaveLength(40);
  });

  it("are for the network alone", () => {
    expect(["tcp://10.0.0.1:7461", "ipc:///tmp/control"].map(isOnNetwork)).toEqual([true, false]);
    expect(["tcp://10.0.0.1:7461", "ipc:///tmp/ring"].map((at) => keysAt(at, KEYS))).toEqual([KEYS, null]);
    expect(keysAt("tcp://10.0.0.1:7461", null)).toBe(null);
  });
});
