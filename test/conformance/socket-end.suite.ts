import { connect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { Pull, Push } from "zeromq";
import { freshLinkKeys, type LinkKeys } from "../../shared/transport/link-keys.js";
import { PushSocket } from "../../shared/transport/zeromq-sockets.js";
import { RecordingRelay } from "../support/recording-relay.js";
import type { SocketEndKind } from "../support/socket-ends.js";

const never = new AbortController().signal;
const ANY_PORT = "tcp://127.0.0.1:0";
const KEYS = freshLinkKeys();
/** What no recording of an encrypted link may hold. */
const PAYLOAD = Buffer.from("a gradient that nobody else may see ".repeat(100));

/** Options of whoever connects to somebody with these keys; null: it knows none. */
function clientOptions(server: LinkKeys | null): Record<string, string> {
  const { publicKey, secretKey } = freshLinkKeys();
  if (server === null) return {};
  return { curveServerKey: server.publicKey, curvePublicKey: publicKey, curveSecretKey: secretKey };
}

function serverOptions(keys: LinkKeys | null): Record<string, string | boolean> {
  return keys === null ? {} : { curveServer: true, curveSecretKey: keys.secretKey };
}

/** The first thing that a socket's monitor has to say of a handshake. */
async function handshakeOf(socket: Push | Pull): Promise<string> {
  for await (const { type } of socket.events) if (type.startsWith("handshake")) return type;
  throw new Error("the socket was closed before");
}

/** What holds for every end over sockets, beside what its contract as a ring's or a star's says. */
export function socketEndSuite({ name, bind }: SocketEndKind): void {
  describe(`sockets of a ${name}`, () => {
    it("refuse a message that is no frame, and go on with the next", async () => {
      await using end = await bind(ANY_PORT, null);
      await using stranger = new PushSocket((error) => {
        throw error;
      });
      stranger.connect(end.endpoint);
      stranger.send([Uint8Array.of(1)]);
      stranger.send([Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)]);
      stranger.send([Uint8Array.of(1), Uint8Array.of(2)]);
      for (const parts of [1, 3]) {
        await expect(end.receive(never)).rejects.toMatchObject({
          failure: {
            code: "PROTOCOL_VIOLATION",
            from: `whoever sends to ${end.endpoint}`,
            problem: `a message of ${parts} parts, expected header and payload`,
          },
        });
      }
      expect([...(await end.receive(never)).payload]).toEqual([2]);
    });

    it.each([
      ["tcp://127.0.0.1:in-use", "another process already listens there", "choose another port"],
      ["tcp://192.0.2.1:0", "this host has no such address", "network interfaces"],
      ["ipc:///nowhere/at/all", "the socket's folder does not exist", "Create it"],
      [`ipc:///${"x".repeat(200)}`, "the socket's path is too long for the operating system", "shorter path"],
      ["nonsense", expect.stringContaining("it can't be listened on"), "tcp://127.0.0.1:0"],
    ])("say why they can't listen at %s, and what to do", async (endpoint, problem, remedy) => {
      await using other = await bind(ANY_PORT, null);
      const asked = endpoint.endsWith("in-use") ? other.endpoint : endpoint;
      await expect(async () => await bind(asked, null)).rejects.toMatchObject({
        failure: { code: "ENDPOINT_UNAVAILABLE", endpoint: asked, problem, remedy: expect.stringContaining(remedy) },
      });
    });

    it.each([
      ["without a key", null],
      ["with another key", freshLinkKeys()],
    ])("encrypted, let nobody in %s", async (_, keys) => {
      await using end = await bind(ANY_PORT, KEYS);
      await using member = await bind(ANY_PORT, KEYS);
      const stranger = new Push({ linger: 0, ...clientOptions(keys) });
      onTestFinished(() => stranger.close());
      const handshake = handshakeOf(stranger);
      stranger.connect(end.endpoint);
      // It waits for a connection, and never gets one.
      const sending = stranger.send([Uint8Array.of(1), Uint8Array.of(66)]).catch(() => undefined);
      expect(await handshake).toMatch(/^handshake:error/);
      const raw = connect(Number(new URL(end.endpoint.replace("tcp:", "http:")).port), "127.0.0.1");
      const closed = new Promise((resolve) => raw.on("error", () => raw.destroy()).once("close", resolve));
      raw.end(Buffer.alloc(100_000, 0x5a));
      raw.resume();
      await closed;
      member.connect(end.endpoint);
      member.send({ header: Uint8Array.of(1), payload: Uint8Array.of(5) });
      expect([...(await end.receive(never)).payload]).toEqual([5]);
      stranger.close();
      await sending;
    });

    it.each([
      ["has no key", null],
      ["has another key", freshLinkKeys()],
    ])("encrypted, say nothing to a listener that %s", async (_, keys) => {
      const stranger = new Pull({ linger: 0, ...serverOptions(keys) });
      onTestFinished(() => stranger.close());
      await stranger.bind(ANY_PORT);
      const handshake = handshakeOf(stranger);
      await using end = await bind(ANY_PORT, KEYS);
      end.connect(stranger.lastEndpoint ?? "");
      end.send({ header: Uint8Array.of(1), payload: PAYLOAD });
      expect(await handshake).toMatch(/^handshake:error/);
    });

    it.each([
      ["in the clear, can be read", null, true],
      ["encrypted, can't be read", KEYS, false],
    ])("%s by somebody on the way", async (_, keys, isReadable) => {
      await using receiver = await bind(ANY_PORT, keys);
      await using relay = await RecordingRelay.before(receiver.endpoint);
      await using sender = await bind(ANY_PORT, keys);
      sender.connect(relay.endpoint);
      sender.send({ header: Uint8Array.of(1), payload: PAYLOAD });
      expect(Buffer.from((await receiver.receive(never)).payload).equals(PAYLOAD)).toBe(true);
      const recording = relay.recording();
      expect(recording.byteLength).toBeGreaterThan(PAYLOAD.byteLength);
      expect(recording.includes(PAYLOAD.subarray(0, 32))).toBe(isReadable);
    });
  });
}
