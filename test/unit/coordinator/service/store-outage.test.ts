import { afterEach, describe, expect, it, vi } from "vitest";
import type { JobId } from "../../../../shared/ids.js";
import { type FailingStore, failingStore } from "../../../support/failing-store.js";
import { LogMessages } from "../../../support/log-messages.js";
import { documentXml, type ServicePlace, servicePlace, upload } from "../../../support/service-place.js";

interface OutagePlace extends ServicePlace {
  readonly kind: FailingStore;
  readonly heard: LogMessages;
  readonly id: JobId;
}

const turnOfLoop = () => new Promise((resolve) => setImmediate(resolve));

/** A service with one job that waits for the first worker. */
async function placeWithJob(): Promise<OutagePlace> {
  const kind = await failingStore();
  const heard = new LogMessages();
  const place = await servicePlace(kind, 0, { log: heard.log });
  await upload(place, "rows.txt");
  const { id } = await place.service.submit({ format: "xml", bytes: Buffer.from(documentXml()) });
  await place.service.queue(id);
  return { ...place, kind, heard, id };
}

describe("a service whose store can't be written for a while", () => {
  afterEach(() => void vi.useRealTimers());

  it("leaves a job that can't be started alone for a pause that grows, says so once, and then starts it", async () => {
    const { ground, kind, heard, service, id } = await placeWithJob();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const claims = vi.spyOn(kind.jobs(), "claim");
    kind.setWritable(false);
    const told = heard.next(/could not be started/);
    ground.setPresent(1);
    await told;
    for (let times = 0; times < 20; times++) {
      ground.setPresent(1);
      await service.counts();
      await turnOfLoop();
    }
    expect(claims).toHaveBeenCalledTimes(1);
    expect((await service.detail(id)).job.status).toBe("QUEUED");
    for (const [pauseMs, tries] of [
      [500, 2],
      [1000, 3],
    ] as const) {
      vi.advanceTimersByTime(pauseMs - 1);
      expect(claims).toHaveBeenCalledTimes(tries - 1);
      vi.advanceTimersByTime(1);
      while (claims.mock.settledResults.filter(({ type }) => type === "rejected").length < tries) await turnOfLoop();
      await turnOfLoop();
    }
    kind.setWritable(true);
    vi.advanceTimersByTime(2000);
    expect((await ground.next()).id).toBe(id);
    expect(heard.count(/could not be started/)).toBe(1);
    expect(heard.count(/can be started again/)).toBe(1);
  });
});
