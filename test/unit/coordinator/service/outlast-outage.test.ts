import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { outlastOutage } from "../../../../coordinator/service/outlast-outage.js";
import { storeUnavailable } from "../../../../coordinator/store/store-failure.js";

const OUTAGE = storeUnavailable("store.db", "no space is left", "Free some");

/** Work that fails so often, then succeeds. */
function failing(times: number, failure: unknown = OUTAGE) {
  const work = { tries: 0, outages: 0, run: async () => await Promise.resolve("done") };
  work.run = async () => {
    work.tries++;
    if (work.tries <= times) throw failure;
    return await Promise.resolve("done");
  };
  return work;
}

describe("work during an outage of the store", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("is tried again after pauses that grow, and told once", async () => {
    const work = failing(3);
    const { signal } = new AbortController();
    const done = outlastOutage(work.run, { signal, onOutage: () => work.outages++ });
    for (const [pauseMs, tries] of [
      [0, 1],
      [500, 2],
      [1000, 3],
      [2000, 4],
    ] as const) {
      await vi.advanceTimersByTimeAsync(pauseMs);
      expect(work.tries).toBe(tries);
    }
    expect(await done).toBe("done");
    expect([work.outages, vi.getTimerCount()]).toEqual([1, 0]);
  });

  it("is given up after the time that it may take, and at once for anything else", async () => {
    const { signal } = new AbortController();
    const work = failing(99);
    const done = outlastOutage(work.run, { signal, mostMs: () => 3500, onOutage: () => undefined });
    const given = expect(done).rejects.toBe(OUTAGE);
    await vi.advanceTimersByTimeAsync(3500);
    await given;
    expect(work.tries).toBe(4);
    const other = failing(1, new Error("a defect"));
    await expect(outlastOutage(other.run, { signal, onOutage: () => undefined })).rejects.toThrow("a defect");
    expect(other.tries).toBe(1);
  });

  it("is tried once more when nobody waits any longer", async () => {
    const controller = new AbortController();
    const work = failing(1);
    const done = outlastOutage(work.run, { signal: controller.signal, onOutage: () => undefined });
    await vi.advanceTimersByTimeAsync(0);
    controller.abort();
    expect(await done).toBe("done");
    const hopeless = failing(9);
    const { signal } = controller;
    await expect(outlastOutage(hopeless.run, { signal, onOutage: () => undefined })).rejects.toBe(OUTAGE);
    expect([hopeless.tries, vi.getTimerCount()]).toEqual([1, 0]);
  });
});
