import { describe, expect, it } from "vitest";
import { MirrorPlan } from "../../../../worker/transport/mirror-plan.js";
import { MirroredRingTransport } from "../../../../worker/transport/mirrored-ring-transport.js";
import type { RingFrame, RingTransport } from "../../../../worker/transport/ring-transport.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { MemoryRingNetwork } from "../../../support/memory-ring-transport.js";

const never = new AbortController().signal;
const HEADER = Uint8Array.of(7, 8, 9);
const MEMORY = { buffer: new SharedArrayBuffer(64 * 1024) };
const SPAN = { address: 1024, sizeBytes: 8192 };
const PLAN = new MirrorPlan(MEMORY, [SPAN]);

/** A link that keeps what goes through it. */
function spiedLink() {
  const link = new MemoryRingNetwork().bind();
  link.connect(link.endpoint);
  const sent: RingFrame[] = [];
  const send = (frame: RingFrame): void => {
    sent.push(frame);
    link.send(frame);
  };
  const spied: RingTransport = {
    endpoint: link.endpoint,
    connect: (next) => link.connect(next),
    send,
    receive: (signal) => link.receive(signal),
    [Symbol.asyncDispose]: () => link[Symbol.asyncDispose](),
  };
  return { link: spied, sent };
}

function payloadAt(address: number, sizeBytes: number): Uint8Array {
  return new Uint8Array(MEMORY.buffer, address, sizeBytes).map((_, index) => (index * 31 + address) % 251);
}

function place(address: number, bytes: Uint8Array): Uint8Array {
  const view = new Uint8Array(MEMORY.buffer, address, bytes.byteLength);
  view.set(bytes);
  return view;
}

describe("mirrored ring transport", () => {
  it("moves mirrored payloads through memory, and only header and place over the link", async () => {
    const { link, sent } = spiedLink();
    const shared = new Uint8Array(PLAN.sizeBytes);
    const transport = new MirroredRingTransport({ link, outgoing: { plan: PLAN, bytes: shared }, incoming: shared });
    const payload = place(2048, payloadAt(2048, 5000));
    transport.send({ header: HEADER, payload });
    const frame = await transport.receive(never);
    expect([...frame.header]).toEqual([...HEADER]);
    expect([...frame.payload]).toEqual([...payload]);
    expect(frame.payload.buffer).toBe(shared.buffer);
    expect(sent.map(({ payload: bytes }) => bytes.byteLength)).toEqual([0]);
  });

  it.each([
    ["small ones", 2048, 4095],
    ["those that lie elsewhere", 10_000, 5000],
    ["those that lie in part elsewhere", 1000, 5000],
  ])("sends %s over the link", async (_, address, sizeBytes) => {
    const { link, sent } = spiedLink();
    const shared = new Uint8Array(PLAN.sizeBytes);
    const transport = new MirroredRingTransport({ link, outgoing: { plan: PLAN, bytes: shared }, incoming: shared });
    const payload = place(address, payloadAt(address, sizeBytes));
    transport.send({ header: HEADER, payload });
    expect([...(await transport.receive(never)).payload]).toEqual([...payload]);
    expect(sent.map(({ payload: bytes }) => bytes.byteLength)).toEqual([sizeBytes]);
    expect(shared.every((byte) => byte === 0)).toBe(true);
  });

  it("sends all over the link to another host", async () => {
    const { link, sent } = spiedLink();
    const transport = new MirroredRingTransport({ link, outgoing: null, incoming: null });
    transport.send({ header: HEADER, payload: place(2048, payloadAt(2048, 5000)) });
    expect((await transport.receive(never)).payload.byteLength).toBe(5000);
    expect(sent.map(({ payload }) => payload.byteLength)).toEqual([5000]);
  });

  it.each([
    ["a place in memory that isn't shared", null, "a payload in memory that is not shared with this worker"],
    ["a place outside the shared memory", new Uint8Array(4096), "a payload at 0..5000 of 4096 shared bytes"],
  ])("refuses %s, naming the link", async (_, incoming, problem) => {
    const { link } = spiedLink();
    const outgoing = { plan: PLAN, bytes: new Uint8Array(PLAN.sizeBytes) };
    const transport = new MirroredRingTransport({ link, outgoing, incoming });
    transport.send({ header: HEADER, payload: place(1024, payloadAt(1024, 5000)) });
    const failure = await failureWithCode("PROTOCOL_VIOLATION", () => transport.receive(never));
    expect(failure).toEqual({ code: "PROTOCOL_VIOLATION", from: `whoever sends to ${link.endpoint}`, problem });
  });

  it("refuses a frame of a peer that names no place", async () => {
    const { link } = spiedLink();
    const transport = new MirroredRingTransport({ link, outgoing: null, incoming: null });
    link.send({ header: HEADER, payload: new Uint8Array() });
    const failure = await failureWithCode("PROTOCOL_VIOLATION", () => transport.receive(never));
    expect(failure.problem).toBe("a frame header of 3 bytes: it names no place");
  });
});

describe("MirrorPlan", () => {
  it("places spans one behind the other, aligned, and finds what lies in one of them", () => {
    const plan = new MirrorPlan(MEMORY, [
      { address: 64, sizeBytes: 100 },
      { address: 1024, sizeBytes: 64 },
    ]);
    expect(plan.sizeBytes).toBe(192);
    const at = (address: number, length: number) => plan.placeOf(new Uint8Array(MEMORY.buffer, address, length));
    expect([at(64, 100), at(70, 94), at(1024, 64), at(1030, 1)]).toEqual([0, 6, 128, 134]);
    expect([at(63, 10), at(64, 101), at(1024, 65), at(500, 1)]).toEqual([null, null, null, null]);
  });

  it("takes no address of another memory for its own", () => {
    expect(PLAN.placeOf(new Uint8Array(new SharedArrayBuffer(64 * 1024), SPAN.address, 8))).toBeNull();
  });
});
