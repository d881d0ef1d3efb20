import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { PushSocket } from "../../../../shared/transport/zeromq-sockets.js";
import { loadLibzmq } from "../../../../worker/transport/libzmq.js";
import { LibzmqRingTransport } from "../../../../worker/transport/libzmq-ring-transport.js";

const never = new AbortController().signal;
const lib = loadLibzmq();
const bind = (endpoint: string) => new LibzmqRingTransport(lib, endpoint, { longestSleepMs: 0 });

/** At once, whatever the process was started with. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}

describe("libzmq ring transport", () => {
  it("refuses a message that is no frame, and goes on with the next", async () => {
    await using transport = bind("tcp://127.0.0.1:0");
    await using stranger = new PushSocket((error) => {
      throw error;
    });
    stranger.connect(transport.endpoint);
    stranger.send([Uint8Array.of(1)]);
    stranger.send([Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)]);
    stranger.send([Uint8Array.of(1), Uint8Array.of(2)]);
    for (const parts of [1, 3]) {
      await expect(transport.receive(never)).rejects.toMatchObject({
        failure: {
          code: "PROTOCOL_VIOLATION",
          from: `whoever sends to ${transport.endpoint}`,
          problem: `a message of ${parts} parts, expected header and payload`,
        },
      });
    }
    expect([...(await transport.receive(never)).payload]).toEqual([2]);
  });

  it.each([
    ["tcp://127.0.0.1:in-use", "another process already listens there", "choose another port"],
    ["tcp://192.0.2.1:0", "this host has no such address", "network interfaces"],
    ["ipc:///nowhere/at/all", "the socket's folder does not exist", "Create it"],
    [`ipc:///${"x".repeat(200)}`, "the socket's path is too long for the operating system", "shorter path"],
    ["nonsense", expect.stringContaining("it can't be listened on"), "tcp://127.0.0.1:0"],
  ])("says why it can't listen at %s, and what to do", async (endpoint, problem, remedy) => {
    await using other = bind("tcp://127.0.0.1:0");
    const asked = endpoint.endsWith("in-use") ? other.endpoint : endpoint;
    expect(() => bind(asked)).toThrow(
      expect.objectContaining({
        failure: { code: "ENDPOINT_UNAVAILABLE", endpoint: asked, problem, remedy: expect.stringContaining(remedy) },
      }),
    );
  });

  it("keeps no payload after it was sent, however many there are", async () => {
    await using transport = bind("tcp://127.0.0.1:0");
    transport.connect(transport.endpoint);
    const send = (frame: number): WeakRef<ArrayBuffer> => {
      const payload = new Uint8Array(100_000).fill(frame);
      transport.send({ header: Uint8Array.of(frame), payload });
      return new WeakRef(payload.buffer);
    };
    const sent: WeakRef<ArrayBuffer>[] = [];
    for (let frame = 0; frame < 20; frame++) {
      sent.push(send(frame));
      expect((await transport.receive(never)).payload[99_999]).toBe(frame);
    }
    // A weak reference holds on to what it was made of until the event loop turns.
    await nextTurn();
    collectGarbage();
    expect(sent.filter((buffer) => buffer.deref() !== undefined)).toEqual([]);
  });

  it("lets the event loop turn while it waits", async () => {
    await using transport = new LibzmqRingTransport(lib, "tcp://127.0.0.1:0");
    const abort = new AbortController();
    const waiting = transport.receive(abort.signal);
    const reason = new Error("enough");
    setImmediate(() => abort.abort(reason));
    await expect(waiting).rejects.toBe(reason);
  });
});
