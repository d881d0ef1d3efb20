import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RingFrame, RingTransport } from "../../worker/transport/ring-transport.js";
import { connectRing } from "../support/exchange-group.js";
import type { RingLinkKind, RingLinks } from "../support/ring-links.js";

const never = new AbortController().signal;

/** What every {@link RingTransport} promises. */
export function ringTransportSuite(kind: RingLinkKind): void {
  describe(`ring transport over ${kind.name}`, () => {
    let links: RingLinks;
    beforeEach(async () => {
      links = await kind.setup();
    });
    afterEach(() => links.teardown());

    const pair = async (): Promise<[RingTransport, RingTransport]> => {
      const [first, second] = await links.bind(2);
      if (first === undefined || second === undefined) throw new Error("two transports expected");
      connectRing([first, second]);
      return [first, second];
    };

    it("names an endpoint of its own that a peer can connect to", async () => {
      const [first, second] = await links.bind(2);
      expect(first?.endpoint).toMatch(/^[a-z]+:\/\/.+/);
      expect(first?.endpoint).not.toMatch(/:0$/);
      expect(first?.endpoint).not.toBe(second?.endpoint);
    });

    it("delivers header and payload of all sizes unchanged, also from shared memory", async () => {
      const [sender, receiver] = await pair();
      for (const size of [0, 1, 7, 128, 129, 4096, 8193, 262_144, 3_000_001]) {
        const payload = new Uint8Array(new SharedArrayBuffer(size + 64), 64, size).map(
          (_, at) => (at * 31 + size) % 251,
        );
        sender.send({ header: Uint8Array.of(size % 256, 2, 3), payload });
        const frame = await receiver.receive(never);
        expect([...frame.header]).toEqual([size % 256, 2, 3]);
        expect(Buffer.from(frame.payload).equals(Buffer.from(payload))).toBe(true);
      }
    });

    it("puts payloads where the reader says, or leaves that alone, and asks for frames in their order", async () => {
      const [sender, receiver] = await pair();
      const places = Array.from({ length: 40 }, () => new Uint8Array(new SharedArrayBuffer(20_064), 64).fill(255));
      const asked: number[] = [];
      for (const index of places.keys()) sender.send(numbered(index, 500 * index));
      for (const [index, place] of places.entries()) {
        const frame = await receiver.receive(never, (header, payloadBytes) => {
          const number = numberIn(header);
          expect(payloadBytes).toBe(500 * number);
          asked.push(number);
          return number % 3 === 0 ? null : (places[number]?.subarray(0, payloadBytes) ?? null);
        });
        expect(numberOf(frame)).toBe(index);
        expect(Buffer.from(frame.payload).equals(Buffer.from(numbered(index, 500 * index).payload))).toBe(true);
        const isThere = frame.payload.buffer === place.buffer;
        if (index % 3 === 0) expect(isThere).toBe(false);
        // Nothing is written behind it, nor without having been asked for.
        expect(place.subarray(isThere ? 500 * index : 0).every((byte) => byte === 255)).toBe(true);
      }
      expect(asked).toEqual([...new Set(asked)].toSorted((a, b) => a - b));
    });

    it("keeps the order of 2,000 frames sent in one go, both ways round at once", async () => {
      const [first, second] = await pair();
      const count = 2000;
      for (let index = 0; index < count; index++) {
        first.send(numbered(index, index % 300));
        second.send(numbered(index + 7, index % 300));
      }
      for (let index = 0; index < count; index++) {
        expect(numberOf(await second.receive(never))).toBe(index);
        expect(numberOf(await first.receive(never))).toBe(index + 7);
      }
    });

    it("sends to itself in a ring of one", async () => {
      const [only] = await links.bind(1);
      if (only === undefined) throw new Error("one transport expected");
      connectRing([only]);
      only.send(numbered(5, 10));
      expect(numberOf(await only.receive(never))).toBe(5);
    });

    it("rejects a receive with the reason of the abort, and loses no frame by it", async () => {
      const [sender, receiver] = await pair();
      const controller = new AbortController();
      const waiting = receiver.receive(controller.signal);
      const reason = new Error("called off");
      controller.abort(reason);
      await expect(waiting).rejects.toBe(reason);
      await expect(receiver.receive(controller.signal)).rejects.toBe(reason);
      sender.send(numbered(1, 5));
      sender.send(numbered(2, 5));
      expect(numberOf(await receiver.receive(never))).toBe(1);
      expect(numberOf(await receiver.receive(never))).toBe(2);
    });

    it("ends a receive under way when disposed of, naming the endpoint", async () => {
      const [, receiver] = await pair();
      const waiting = receiver.receive(never);
      const rejected = expect(waiting).rejects.toMatchObject({
        failure: { code: "ENDPOINT_UNAVAILABLE", endpoint: receiver.endpoint },
      });
      await receiver[Symbol.asyncDispose]();
      await rejected;
      await expect(receiver.receive(never)).rejects.toMatchObject({ failure: { code: "ENDPOINT_UNAVAILABLE" } });
      await receiver[Symbol.asyncDispose]();
    });

    it("refuses to connect to what is no endpoint", async () => {
      const [transport] = await links.bind(1);
      expect(() => transport?.connect("nowhere")).toThrowError(
        expect.objectContaining({
          failure: expect.objectContaining({ code: "ENDPOINT_UNAVAILABLE", endpoint: "nowhere" }),
        }),
      );
    });
  });
}

function numbered(index: number, size: number): RingFrame {
  const header = new Uint8Array(4);
  new DataView(header.buffer).setUint32(0, index);
  return { header, payload: new Uint8Array(size).fill(index % 256) };
}

function numberIn(header: Uint8Array): number {
  return new DataView(header.buffer, header.byteOffset, header.byteLength).getUint32(0);
}

function numberOf({ header, payload }: RingFrame): number {
  const index = numberIn(header);
  expect(payload.every((byte) => byte === index % 256)).toBe(true);
  return index;
}
