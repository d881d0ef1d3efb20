import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RingFrame } from "../../worker/transport/ring-transport.js";
import type { StarTransport } from "../../worker/transport/star-transport.js";
import { connectStar, type StarLinkKind, type StarLinks } from "../support/star-links.js";

const never = new AbortController().signal;

/** What every star promises, whatever its links. */
export function starTransportSuite(kind: StarLinkKind): void {
  describe(`star over ${kind.name}`, () => {
    let links: StarLinks;
    beforeEach(async () => {
      links = await kind.setup();
    });
    afterEach(() => links.teardown());

    const star = async (clients: number): Promise<{ server: StarTransport; clients: StarTransport[] }> => {
      const [server, ...rest] = await links.bind(1 + clients);
      if (server === undefined) throw new Error("a server expected");
      connectStar([server, ...rest]);
      return { server, clients: rest };
    };

    it("brings payloads of any size both ways, from shared memory, unchanged", async () => {
      const { server, clients } = await star(1);
      const [client] = clients;
      for (const size of [0, 1, 127, 128, 129, 4096, 8193, 262_144, 3_000_001]) {
        const payload = new Uint8Array(new SharedArrayBuffer(size + 64), 64, size).map(
          (_, at) => (at * 31 + size) % 251,
        );
        client?.send(0, { header: Uint8Array.of(size % 256, 2, 3), payload });
        const up = await server.receive(never);
        server.send(1, { header: up.header, payload: payload });
        const down = await client?.receive(never);
        expect([...(down?.header ?? [])]).toEqual([size % 256, 2, 3]);
        expect(Buffer.from(down?.payload ?? []).equals(Buffer.from(payload))).toBe(true);
      }
    });

    it("keeps the order of each of three clients' 500 frames, sent all at once, and loses none", async () => {
      const { server, clients } = await star(3);
      const count = 500;
      for (let index = 0; index < count; index++) {
        for (const [at, client] of clients.entries()) client.send(0, numbered(at, index));
      }
      const next = clients.map(() => 0);
      for (let frame = 0; frame < count * clients.length; frame++) {
        const { sender, index } = numberOf(await server.receive(never));
        expect(index).toBe(next[sender]);
        next[sender] = index + 1;
      }
      expect(next).toEqual([count, count, count]);
    });

    it("sends to the rank that is named, and to no other", async () => {
      const { server, clients } = await star(3);
      for (const rank of [2, 3, 1]) server.send(rank, numbered(9, rank));
      for (const [at, client] of clients.entries()) {
        expect(numberOf(await client.receive(never))).toEqual({ sender: 9, index: at + 1 });
      }
    });

    it("refuses to send where it is not connected to, and to connect a rank twice", async () => {
      const { server, clients } = await star(2);
      expect(() => server.send(3, numbered(0, 0))).toThrow("send to rank 3 before connect");
      expect(() => clients[0]?.send(2, numbered(0, 0))).toThrow("send to rank 2 before connect");
      expect(() => server.connect(1, clients[0]?.endpoint ?? "")).toThrow("rank 1 is connected already");
    });

    it("rejects a receive with the reason of the abort, and loses no frame by it", async () => {
      const { server, clients } = await star(1);
      const controller = new AbortController();
      const waiting = server.receive(controller.signal);
      const reason = new Error("called off");
      controller.abort(reason);
      await expect(waiting).rejects.toBe(reason);
      clients[0]?.send(0, numbered(1, 1));
      clients[0]?.send(0, numbered(1, 2));
      expect(numberOf(await server.receive(never)).index).toBe(1);
      expect(numberOf(await server.receive(never)).index).toBe(2);
    });

    it("ends a receive under way when disposed of, naming the endpoint", async () => {
      const { server } = await star(1);
      const failure = expect.objectContaining({ code: "ENDPOINT_UNAVAILABLE", endpoint: server.endpoint });
      const rejected = expect(server.receive(never)).rejects.toMatchObject({ failure });
      await server[Symbol.asyncDispose]();
      await rejected;
      await expect(server.receive(never)).rejects.toMatchObject({ failure });
      await server[Symbol.asyncDispose]();
    });

    it("refuses to connect to what is no endpoint", async () => {
      const [transport] = await links.bind(1);
      const failure = expect.objectContaining({ code: "ENDPOINT_UNAVAILABLE", endpoint: "nowhere" });
      expect(() => transport?.connect(1, "nowhere")).toThrowError(expect.objectContaining({ failure }));
    });
  });
}

function numbered(sender: number, index: number): RingFrame {
  const header = new Uint8Array(8);
  const view = new DataView(header.buffer);
  view.setUint32(0, sender);
  view.setUint32(4, index);
  return { header, payload: new Uint8Array(index % 300).fill(index % 256) };
}

function numberOf({ header, payload }: RingFrame): { sender: number; index: number } {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const index = view.getUint32(4);
  expect(payload.byteLength).toBe(index % 300);
  expect(payload.every((byte) => byte === index % 256)).toBe(true);
  return { sender: view.getUint32(0), index };
}
