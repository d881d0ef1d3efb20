import { afterEach, describe, expect, it, vi } from "vitest";
import type { Failure } from "../../../../shared/failure.js";
import type { JobId } from "../../../../shared/ids.js";
import { type FailingStore, failingStore } from "../../../support/failing-store.js";
import { LogMessages } from "../../../support/log-messages.js";
import type { ScriptedRun } from "../../../support/scripted-ground.js";
import { documentXml, reopened, type ServicePlace, servicePlace, upload } from "../../../support/service-place.js";

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

const FIGURES = { epoch: 1, step: 3, tensor: "loss", value: "NaN", learningRate: 9 };
const OVERFLOW: Failure = { code: "NOT_FINITE", ...FIGURES, remedy: "Lower it" };

/** As {@link placeWithJob}, with its run; from here on time passes as the test says. */
async function placeWithRun(): Promise<{ readonly place: OutagePlace; readonly run: ScriptedRun }> {
  const place = await placeWithJob();
  place.ground.setPresent(1);
  const run = await place.ground.next();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  run.start();
  return { place, run };
}

/** Lets time pass until this has happened. */
async function passing(event: Promise<unknown>): Promise<void> {
  let isOver = false;
  void event.then(() => {
    isOver = true;
  });
  while (!isOver) {
    vi.advanceTimersByTime(100);
    await turnOfLoop();
  }
}

/** Resolves when the job has this status. */
async function status({ service, id }: OutagePlace, wanted: string): Promise<void> {
  const { signal } = new AbortController();
  for await (const { kind, data } of service.follow(id, 0, signal)) {
    if (kind === "status" && JSON.parse(data).status === wanted) return;
  }
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

  it("lets a run go on, and keeps all that it tells once it can", async () => {
    const { place, run } = await placeWithRun();
    const { kind, heard, service, id } = place;
    kind.setWritable(false);
    const told = heard.next(/can't be kept/);
    run.step(3);
    await passing(told);
    run.epoch();
    expect(run.signal.aborted).toBe(false);
    kind.setWritable(true);
    run.finish();
    await passing(status(place, "FINISHED"));
    const { steps, epochs } = await service.metrics(id, { from: 0, limit: 9 });
    expect([steps.map(({ step }) => step), epochs.map(({ epoch }) => epoch)]).toEqual([[1, 2, 3], [1]]);
    const events = await place.store.jobs.events(id, 0, 100);
    expect(events.events.filter(({ kind }) => kind === "step")).toHaveLength(3);
    expect(heard.count(/can't be kept/)).toBe(1);
  });

  it("ends a run whose events can't be kept for a minute, and its job once that can be kept", async () => {
    const { place, run } = await placeWithRun();
    const { kind, ground, service, id } = place;
    kind.setWritable(false);
    run.step();
    await passing(new Promise((resolve) => run.signal.addEventListener("abort", resolve)));
    while (ground.capacity().idle === 0) await turnOfLoop();
    expect((await service.detail(id)).job.status).toBe("INPROGRESS");
    kind.setWritable(true);
    await passing(status(place, "ERROR"));
    expect((await service.detail(id)).failure).toMatchObject({ code: "STORE_UNAVAILABLE" });
    await service.queue(id);
    expect((await ground.next()).id).toBe(id);
  });

  it("loses no result of a run that ends meanwhile, and no reason", async () => {
    const ends = [
      { end: (run: ScriptedRun) => run.finish(), expected: "FINISHED", failure: null },
      { end: (run: ScriptedRun) => run.fail(OVERFLOW), expected: "ERROR", failure: OVERFLOW },
    ];
    for (const { end, expected, failure } of ends) {
      const { place, run } = await placeWithRun();
      place.kind.setWritable(false);
      const told = place.heard.next(/can't be kept/);
      end(run);
      await passing(told);
      while (place.ground.capacity().idle === 0) await turnOfLoop();
      for (let seconds = 0; seconds < 600; seconds++) {
        vi.advanceTimersByTime(1000);
        await turnOfLoop();
      }
      expect((await place.service.detail(place.id)).job.status).toBe("INPROGRESS");
      place.kind.setWritable(true);
      await passing(status(place, expected));
      expect((await place.service.detail(place.id)).failure).toEqual(failure);
      vi.useRealTimers();
    }
  });

  it("ends all the same, and the next one finds the job", async () => {
    const { place, run } = await placeWithRun();
    place.kind.setWritable(false);
    const told = place.heard.next(/can't be kept/);
    run.fail(OVERFLOW);
    await passing(told);
    await place.service[Symbol.asyncDispose]();
    place.kind.setWritable(true);
    const next = await reopened(place);
    expect((await next.ground.next()).id).toBe(place.id);
  });
});
