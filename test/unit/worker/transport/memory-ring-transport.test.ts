import { describe, expect, it } from "vitest";
import { MemoryRingNetwork } from "../../../support/memory-ring-transport.js";

const never = new AbortController().signal;
const header = Uint8Array.of(0);

describe("memory ring transport", () => {
  it("drops and duplicates the frames it is told to, and keeps order whatever their latency", async () => {
    const network = new MemoryRingNetwork();
    const sender = network.bind({
      fate: (index) => (index === 1 ? "drop" : index === 3 ? "duplicate" : "deliver"),
      latencyTurns: (index) => [5, 0, 3, 0, 1][index] ?? 0,
    });
    const receiver = network.bind();
    sender.connect(receiver.endpoint);
    for (let index = 0; index < 5; index++) sender.send({ header, payload: Uint8Array.of(index) });
    const received: number[] = [];
    for (let count = 0; count < 5; count++) received.push(...(await receiver.receive(never)).payload);
    expect(received).toEqual([0, 2, 3, 3, 4]);
  });

  it("reads payloads when they are received, and spoils them when the next frame is asked for", async () => {
    const network = new MemoryRingNetwork();
    const [sender, receiver] = [network.bind(), network.bind()];
    sender.connect(receiver.endpoint);
    const payload = Uint8Array.of(1, 1);
    sender.send({ header, payload });
    payload.fill(7);
    const first = await receiver.receive(never);
    expect([...first.payload]).toEqual([7, 7]);
    expect(first.payload.byteOffset % 4).not.toBe(0);
    sender.send({ header, payload });
    await receiver.receive(never);
    expect([...first.payload]).toEqual([0xa5, 0xa5]);
  });

  it("refuses to send before it is connected", () => {
    expect(() => new MemoryRingNetwork().bind().send({ header, payload: header })).toThrowError(
      expect.objectContaining({ failure: expect.objectContaining({ code: "ENDPOINT_UNAVAILABLE" }) }),
    );
  });
});
