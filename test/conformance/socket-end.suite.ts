import { describe, expect, it } from "vitest";
import { PushSocket } from "../../shared/transport/zeromq-sockets.js";
import type { SocketEndKind } from "../support/socket-ends.js";

const never = new AbortController().signal;

/** What holds for every end over sockets, beside what its contract as a ring's or a star's says. */
export function socketEndSuite({ name, bind }: SocketEndKind): void {
  describe(`sockets of a ${name}`, () => {
    it("refuse a message that is no frame, and go on with the next", async () => {
      await using end = await bind("tcp://127.0.0.1:0");
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
      await using other = await bind("tcp://127.0.0.1:0");
      const asked = endpoint.endsWith("in-use") ? other.endpoint : endpoint;
      await expect(async () => await bind(asked)).rejects.toMatchObject({
        failure: { code: "ENDPOINT_UNAVAILABLE", endpoint: asked, problem, remedy: expect.stringContaining(remedy) },
      });
    });
  });
}
