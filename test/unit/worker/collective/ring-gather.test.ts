import { describe, expect, it } from "vitest";
import { encodeHeader, layoutTag } from "../../../../worker/collective/frame-header.js";
import { RingGather } from "../../../../worker/collective/ring-gather.js";
import { connectRing, LAYOUT_HASH } from "../../../support/exchange-group.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { MemoryRingNetwork } from "../../../support/memory-ring-transport.js";

const { signal } = new AbortController();

function ring(workers: number, generation = 3) {
  const network = new MemoryRingNetwork();
  /** Bytes of all payloads sent. */
  const frameBytes: number[] = [];
  const transports = Array.from({ length: workers }, (_, rank) =>
    network.bind({
      latencyTurns: (index) => (7 * index + rank) % 4,
      fate: (_, { payload }) => {
        frameBytes.push(payload.byteLength);
        return "deliver";
      },
    }),
  );
  connectRing(transports);
  const gathers = transports.map((transport, rank) => {
    const membership = { generation, rank, worldSize: workers, replicas: workers };
    return new RingGather({ membership, transport, layoutHash: LAYOUT_HASH });
  });
  return { transports, gathers, frameBytes };
}

const partOf = (rank: number, sequence: number, bytes: number) =>
  Uint8Array.from({ length: bytes }, (_, index) => rank * 37 + sequence * 11 + index);

describe("RingGather", () => {
  it.each([2, 3, 5])("brings every worker's part to all %d, of whatever sizes, several times", async (workers) => {
    const { gathers } = ring(workers);
    for (let sequence = 0; sequence < 4; sequence++) {
      const sizes = Array.from({ length: workers }, (_, rank) => (rank === 1 ? 0 : 100 + rank + sequence));
      const parts = sizes.map((bytes, rank) => partOf(rank, sequence, bytes));
      const all = await Promise.all(
        gathers.map((gather, rank) => gather.gather({ sequence, own: parts[rank] ?? new Uint8Array(), sizes }, signal)),
      );
      const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
      for (const [rank, { parts: got, sentBytes, receivedBytes }] of all.entries()) {
        expect(got).toEqual(parts);
        expect(receivedBytes).toBe(total - (sizes[rank] ?? 0));
        expect(sentBytes).toBe(total - (sizes[(rank + 1) % workers] ?? 0));
      }
    }
  });

  it("sends large parts in small frames, which a slow link brings one by one, and passes each on at once", async () => {
    const workers = 3;
    const { gathers, frameBytes } = ring(workers);
    const sizes = [2 ** 20, 2 ** 18 + 1, 0];
    const parts = sizes.map((bytes, rank) => partOf(rank, 0, bytes));
    const all = await Promise.all(
      gathers.map((gather, rank) =>
        gather.gather({ sequence: 0, own: parts[rank] ?? new Uint8Array(), sizes }, signal),
      ),
    );
    for (const { parts: got } of all)
      expect(got.every((part, rank) => Buffer.compare(part, parts[rank] ?? part) === 0)).toBe(true);
    expect(Math.max(...frameBytes)).toBe(2 ** 18);
    // Each part goes over all links but one.
    expect(frameBytes).toHaveLength((workers - 1) * (4 + 2 + 1));
  });

  it.each([
    ["exchange", { sequence: 8 }, "exchange is 8, expected 7"],
    ["owner", { block: 1 }, "owner is 1, expected 0"],
    ["piece", { folded: 1 }, "piece is 1, expected 0"],
    ["phase", { phase: "total" }, "phase is total, expected gathered"],
    ["sender", { sender: 1 }, "sender is 1, expected 0"],
    ["generation", { generation: 4 }, "generation is 4, expected 3"],
    ["layout", { layout: layoutTag("f".repeat(16)) }, "layout is ffffffffffffffff"],
    ["length announced", { payloadBytes: 9 }, "bytes announced is 9, expected 8"],
  ] as const)("refuses a frame of another %s, and names the sender", async (_, wrong, says) => {
    const { gathers, transports } = ring(2);
    const right = {
      generation: 3,
      sequence: 7,
      block: 0,
      phase: "gathered",
      folded: 0,
      payloadBytes: 8,
      sender: 0,
    } as const;
    const header = encodeHeader({ ...right, layout: layoutTag(LAYOUT_HASH), ...wrong });
    transports[0]?.send({ header, payload: new Uint8Array(8) });
    const parts = { sequence: 7, own: new Uint8Array(8), sizes: [8, 8] };
    const failure = await failureWithCode("PROTOCOL_VIOLATION", () => gathers[1]?.gather(parts, signal));
    expect(failure).toMatchObject({ from: "worker rank 0", problem: expect.stringContaining(says) });
  });

  it("lets frames of a membership that is over go by", async () => {
    const { gathers, transports } = ring(2);
    const old = {
      generation: 2,
      sequence: 9,
      block: 0,
      phase: "total",
      folded: 2,
      payloadBytes: 1,
      sender: 0,
    } as const;
    transports[0]?.send({ header: encodeHeader({ ...old, layout: 0n }), payload: new Uint8Array(1) });
    const both = gathers.map((gather, rank) =>
      gather.gather({ sequence: 0, own: partOf(rank, 0, 5), sizes: [5, 5] }, signal),
    );
    for (const { parts } of await Promise.all(both)) expect(parts).toEqual([partOf(0, 0, 5), partOf(1, 0, 5)]);
  });
});
