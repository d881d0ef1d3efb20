import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { storeUnavailable } from "../../../../coordinator/store/store-failure.js";
import type { Failure } from "../../../../shared/failure.js";
import type { JobId } from "../../../../shared/ids.js";
import { writeFailure } from "../../../../shared/write-failure.js";
import { type FailingStore, failingStore } from "../../../support/failing-store.js";
import { LogMessages } from "../../../support/log-messages.js";
import type { ScriptedRun } from "../../../support/scripted-ground.js";
import { documentXml, reopened, type ServicePlace, servicePlace, upload } from "../../../support/service-place.js";

interface OutagePlace extends ServicePlace {
  readonly kind: FailingStore;
  readonly heard: LogMessages;
  readonly id: JobId;
}

/** A file on the disk beside the database, while that is full. */
const FULL = writeFailure("/data/rows", Object.assign(new Error("ENOSPC"), { code: "ENOSPC", syscall: "write" }));

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
    const run = await ground.next();
    expect(run.id).toBe(id);
    expect(heard.count(/could not be started/)).toBe(1);
    run.start();
    run.step();
    expect(heard.count(/can be started again/)).toBe(1);
  });

  it("never keeps a priority without the place in the queue that it was given with", async () => {
    const { service, kind, id } = await placeWithJob();
    await service.cancel(id);
    const jobs = kind.jobs();
    const setPriority = jobs.setPriority.bind(jobs);
    vi.spyOn(jobs, "setPriority").mockImplementationOnce(async (...change) => {
      await setPriority(...change);
      kind.setWritable(false);
    });
    await service.queue(id, { priority: 5 });
    kind.setWritable(true);
    expect((await service.detail(id)).job).toMatchObject({ status: "QUEUED", priority: 5 });
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
      // The run's end takes turns, and no time.
      while ((await readdir(join(place.directory, "rows"))).some((name) => name.includes("in-use"))) await turnOfLoop();
      await turnOfLoop();
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

describe("a service whose disk is full, though its database can be written", () => {
  afterEach(() => void vi.useRealTimers());

  it("has jobs whose rows can't be prepared wait, with pauses that grow, and starts them once they can", async () => {
    const place = await placeWithJob();
    const { ground, heard, service, store } = place;
    const second = await service.submit({ format: "xml", bytes: Buffer.from(documentXml()) });
    await service.queue(second.id);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const reads = vi.spyOn(store.files, "pathOf").mockRejectedValue(FULL);
    ground.setPresent(2);
    while (reads.mock.calls.length < 8) {
      vi.advanceTimersByTime(100);
      await turnOfLoop();
    }
    reads.mockRestore();
    const runs = [ground.next(), ground.next()];
    await passing(Promise.all(runs));
    const [one, other] = await Promise.all(runs);
    expect([one?.id, other?.id].sort()).toEqual([place.id, second.id].sort());
    expect(heard.count(/could not be started/)).toBe(1);
    expect(heard.count(/job failed/)).toBe(0);
  });

  it("says of such a job why it waits", async () => {
    const { ground, heard, service, store, id } = await placeWithJob();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    vi.spyOn(store.files, "pathOf").mockRejectedValue(FULL);
    const told = heard.next(/could not be started/);
    ground.setPresent(1);
    await told;
    const { job, failure } = await service.detail(id);
    expect([job.status, failure]).toEqual(["QUEUED", expect.objectContaining({ code: "OUTPUT_UNWRITABLE" })]);
  });

  it("keeps a trained model once there is room for it", async () => {
    const { place, run } = await placeWithRun();
    const { service, store, id, heard } = place;
    const added = vi.spyOn(store.files, "add").mockRejectedValueOnce(FULL).mockRejectedValueOnce(FULL);
    const told = heard.next(/can't be kept/);
    run.finish();
    await passing(told);
    expect((await service.detail(id)).job.status).toBe("INPROGRESS");
    await passing(status(place, "FINISHED"));
    expect(added.mock.calls.length).toBeGreaterThan(4);
    expect((await service.detail(id)).files.length).toBeGreaterThan(2);
  });

  it("waits out a failing read at a run's end", async () => {
    const { place, run } = await placeWithRun();
    vi.spyOn(place.kind.jobs(), "summary").mockRejectedValueOnce(storeUnavailable("store.db", "EIO", "Look"));
    run.finish();
    await passing(status(place, "FINISHED"));
  });

  it("loses no result when the word that it is kept is lost", async () => {
    const { place, run } = await placeWithRun();
    const { kind, service, id } = place;
    const jobs = kind.jobs();
    const transition = jobs.transition.bind(jobs);
    const told = vi.spyOn(jobs, "transition").mockImplementationOnce(async (...change) => {
      await transition(...change);
      throw storeUnavailable("store.db", "EIO", "Look");
    });
    run.finish();
    const again = async () => {
      while (told.mock.settledResults.length < 2 || place.ground.capacity().idle === 0) await turnOfLoop();
    };
    await passing(again());
    vi.useRealTimers();
    await service[Symbol.asyncDispose]();
    const next = await reopened(place);
    const { job, files } = await next.service.detail(id);
    expect([job.status, files.length > 2]).toEqual(["FINISHED", true]);
  });
});
