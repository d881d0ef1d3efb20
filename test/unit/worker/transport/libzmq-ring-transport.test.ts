import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { loadLibzmq } from "../../../../worker/transport/libzmq.js";
import { LibzmqRingTransport } from "../../../../worker/transport/libzmq-ring-transport.js";

const never = new AbortController().signal;
const lib = loadLibzmq();

/** At once, whatever the process was started with. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}

describe("libzmq ring transport", () => {
  it("keeps no payload after it was sent, however many there are", async () => {
    await using transport = new LibzmqRingTransport(lib, "tcp://127.0.0.1:0", { longestSleepMs: 0 });
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
