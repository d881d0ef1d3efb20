import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { LineSocket } from "../../../../shared/launch/line-socket.js";

describe("LineSocket", () => {
  it("has its end ask whether the other one is still there, at both ends", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const accepted = once(server, "connection");
    const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
    const [served] = await accepted;
    for (const socket of [client, served]) {
      const keepAlive = vi.spyOn(socket, "setKeepAlive");
      using line = new LineSocket(socket);
      expect(line).toBeDefined();
      expect(keepAlive).toHaveBeenCalledWith(true, 30_000);
    }
  });
});
