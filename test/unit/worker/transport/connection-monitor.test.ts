import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Libzmq, loadLibzmq } from "../../../../worker/transport/libzmq.js";
import { LibzmqSocket } from "../../../../worker/transport/libzmq-socket.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const PAIR = 0;

describe("connection monitor", () => {
  it("that can't be read is turned off: the link works, and closing it returns", async () => {
    const real = loadLibzmq();
    const monitored: (string | null)[] = [];
    const lib: Libzmq = {
      ...real,
      socket: (context, type) => (type === PAIR ? null : real.socket(context, type)),
      monitor: (socket, endpoint, events) => {
        monitored.push(endpoint);
        return real.monitor(socket, endpoint, events);
      },
    };
    const [from, to] = [new LibzmqSocket(lib, "push"), new LibzmqSocket(real, "pull")];
    from.connect(to.bind(`ipc://${join(await temporaryDirectory(), "ring")}`, null), null);
    // Before anything that would never return: ZeroMQ holds what closing waits for as long as nobody reads.
    expect(monitored).toEqual(["inproc://connections", null]);
    from.send(Uint8Array.of(1, 2, 3), true);
    to.waitForInput(20_000);
    expect(to.receive()).toEqual({ sizeBytes: 3, hasMore: false });
    from[Symbol.dispose]();
    to[Symbol.dispose]();
  });
});
