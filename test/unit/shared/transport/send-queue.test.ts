import { describe, expect, it } from "vitest";
import { SendQueue } from "../../../../shared/transport/send-queue.js";

/** A socket whose sends end when the test says so. */
function slowSocket() {
  const begun: number[] = [];
  const ends: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const send = (item: number): Promise<void> => {
    begun.push(item);
    return new Promise((resolve, reject) => ends.push({ resolve, reject }));
  };
  return { begun, ends, send };
}

async function settle(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}

describe("send queue", () => {
  it("hands over the first item within the call and the others one at a time, in order", async () => {
    const { begun, ends, send } = slowSocket();
    const queue = new SendQueue<number>({ send, onError: expect.fail });
    for (const item of [1, 2, 3]) queue.push(item);
    expect(begun).toEqual([1]);
    await settle();
    expect(begun).toEqual([1]);
    ends[0]?.resolve();
    await settle();
    expect(begun).toEqual([1, 2]);
    queue.push(4);
    ends[1]?.resolve();
    await settle();
    ends[2]?.resolve();
    await settle();
    expect(begun).toEqual([1, 2, 3, 4]);
    ends[3]?.resolve();
    await queue.idle();
    queue.push(5);
    expect(begun).toEqual([1, 2, 3, 4, 5]);
  });

  it("tells of a failed item and goes on", async () => {
    const failed: unknown[] = [];
    const error = new Error("unreachable");
    const queue = new SendQueue<number>({
      send: (item) => (item === 2 ? Promise.reject(error) : Promise.resolve()),
      onError: (cause, item) => failed.push([cause, item]),
    });
    for (const item of [1, 2, 3]) queue.push(item);
    await queue.idle();
    expect(failed).toEqual([[error, 2]]);
  });

  it("drops what waits when closed, without calling that a failure, and takes nothing more", async () => {
    const { begun, ends, send } = slowSocket();
    const failed: unknown[] = [];
    const queue = new SendQueue<number>({ send, onError: (cause) => failed.push(cause) });
    queue.push(1);
    queue.push(2);
    queue.close();
    ends[0]?.reject(new Error("closed under way"));
    await queue.idle();
    expect(begun).toEqual([1]);
    expect(failed).toEqual([]);
    expect(() => queue.push(3)).toThrow("send on a closed socket");
  });
});
