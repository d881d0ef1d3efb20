import { describe, expect, it } from "vitest";
import { PushSocket } from "../../../../shared/transport/zeromq-sockets.js";
import { ZeromqRingTransport } from "../../../../worker/transport/zeromq-ring-transport.js";

const never = new AbortController().signal;

describe("zeromq ring transport", () => {
  it("refuses a message that is no frame, and goes on with the next", async () => {
    await using transport = await ZeromqRingTransport.bind("tcp://127.0.0.1:0");
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

  it("says which endpoint is in use, and what to do", async () => {
    await using transport = await ZeromqRingTransport.bind("tcp://127.0.0.1:0");
    await expect(ZeromqRingTransport.bind(transport.endpoint)).rejects.toMatchObject({
      failure: {
        code: "ENDPOINT_UNAVAILABLE",
        endpoint: transport.endpoint,
        problem: "another process already listens there",
        remedy: expect.stringContaining("choose another port"),
      },
    });
  });
});
