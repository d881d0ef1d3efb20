import { readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import koffi from "koffi";
import { describe, expect, it } from "vitest";
import { loadLibzmq } from "../../../../worker/transport/libzmq.js";
import { LibzmqRingTransport } from "../../../../worker/transport/libzmq-ring-transport.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const never = new AbortController().signal;
const lib = loadLibzmq();

/** At once, whatever the process was started with. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}

const libc = koffi.load(null);
const systemSocket = libc.func("int socket(int domain, int type, int protocol)");
const closeSocket = libc.func("int close(int fd)");
const systemOption = libc.func("int getsockopt(int fd, int level, int option, void *value, void *size)");
const LOCAL = { domain: 1, stream: 1 };
const OPTION = { domain: 39, sendBuffer: 7 };

/** Of a socket of this process; −1: `fd` is none. */
function optionOf(fd: number, option: number): number {
  const value = new Int32Array(1);
  return systemOption(fd, 1, option, value, Int32Array.of(4)) < 0 ? -1 : value[0]!;
}

/** What the system gives to a new connection of a socket file. */
function usualSendBuffer(): number {
  const fd = systemSocket(LOCAL.domain, LOCAL.stream, 0);
  const bytes = optionOf(fd, OPTION.sendBuffer);
  closeSocket(fd);
  return bytes;
}

/** This process's sockets of socket files whose peer may leave more unread than usual. */
function widenedSockets(): number[] {
  const usual = usualSendBuffer();
  return readdirSync("/proc/self/fd")
    .map(Number)
    .filter((fd) => optionOf(fd, OPTION.domain) === LOCAL.domain && optionOf(fd, OPTION.sendBuffer) > usual);
}

describe("libzmq ring transport", () => {
  it.skipIf(process.platform !== "linux")(
    "widens what a socket file's connection holds, once it is there",
    async () => {
      const before = widenedSockets();
      const folder = await temporaryDirectory();
      await using transport = new LibzmqRingTransport(lib, `ipc://${join(folder, "ring")}`, { longestSleepMs: 0 });
      transport.connect(transport.endpoint);
      const frame = { header: Uint8Array.of(1), payload: new Uint8Array(100) };
      transport.send(frame);
      await transport.receive(never);
      // What was received came over the connection, so the next call knows of it.
      transport.send(frame);
      await transport.receive(never);
      expect(widenedSockets()).toHaveLength(before.length + 1);
    },
  );

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
