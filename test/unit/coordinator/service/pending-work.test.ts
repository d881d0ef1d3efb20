import { describe, expect, it } from "vitest";
import { PendingWork } from "../../../../coordinator/service/pending-work.js";
import { deferred } from "../../../../shared/deferred.js";

describe("PendingWork", () => {
  it("keeps nothing of work that has ended, however much there was", async () => {
    const work = new PendingWork();
    for (let turn = 0; turn < 1000; turn++) {
      work.add(Promise.resolve([turn]));
      await work.ended();
      expect(work.size).toBe(0);
    }
  });

  it("waits for all that is under way, in whatever order it ends", async () => {
    const work = new PendingWork();
    const [first, second] = [deferred<void>(), deferred<void>()];
    work.add(first.promise);
    work.add(second.promise);
    let hasEnded = false;
    const ended = work.ended().then(() => {
      hasEnded = true;
    });
    second.resolve();
    await second.promise;
    expect([hasEnded, work.size]).toEqual([false, 1]);
    first.resolve();
    await ended;
    expect(work.size).toBe(0);
  });
});
