import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { LaunchedWorker } from "../../../../coordinator/launcher/launcher.js";
import { RankLifelines } from "../../../../coordinator/launcher/rank-lifelines.js";
import { deferred } from "../../../../shared/deferred.js";
import type { Rank, WorkerId } from "../../../../shared/ids.js";
import { Lifeline } from "../../../../worker/rank/lifeline.js";
import { failureWithCode } from "../../../support/failure-with-code.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const TOKEN = "the run's secret";
const RUN = { token: TOKEN, worldSize: 3 };

async function open(): Promise<{ readonly lifelines: RankLifelines; readonly ranks: LaunchedWorker[] }> {
  const lifelines = await RankLifelines.open({ path: join(await temporaryDirectory(), "lifelines") }, RUN);
  onTestFinished(() => lifelines[Symbol.asyncDispose]());
  const ranks: LaunchedWorker[] = [];
  lifelines.onRank((rank) => ranks.push(rank));
  return { lifelines, ranks };
}

async function enter(
  lifelines: RankLifelines,
  rank: number,
  { token = TOKEN, clockMs = 0 }: { readonly token?: string; readonly clockMs?: number } = {},
): Promise<Lifeline> {
  const owner = { rank: rank as Rank, workerId: `w${rank}` as WorkerId, host: "h", pid: 100 + rank };
  const lifeline = await Lifeline.open({ lifeline: lifelines.place, token }, owner, () => clockMs);
  onTestFinished(() => lifeline[Symbol.dispose]());
  return lifeline;
}

describe("RankLifelines and Lifeline", () => {
  it("make a rank known before it goes on, and bring it the exit code of the run", async () => {
    const { lifelines, ranks } = await open();
    const lifeline = await enter(lifelines, 1);
    expect(ranks).toMatchObject([{ index: 1, rank: 1, workerId: "w1", host: "h", pid: 101 }]);
    const exitCode = lifeline.done(null);
    expect(await ranks[0]?.ended).toEqual({ exitCode: 0, signal: null, lastWords: null });
    const said = lifelines.farewell(5);
    expect(await exitCode).toBe(5);
    lifeline[Symbol.dispose]();
    await said;
  });

  it("tell of the signals that a rank was sent, and how far its clock is ahead", async () => {
    const { lifelines } = await open();
    const signals = deferred<[string, number]>();
    const clocks: [number, number][] = [];
    lifelines.onSignal((...told) => signals.resolve(told));
    lifelines.onClock((aheadMs, { rank }) => clocks.push([Math.round(aheadMs / 60_000), rank]));
    const lifeline = await enter(lifelines, 2, { clockMs: Date.now() + 3_600_000 });
    lifeline.signalled("SIGTERM");
    expect(await signals.promise).toEqual(["SIGTERM", 2]);
    expect(clocks).toEqual([[60, 2]]);
  });

  it("tell of a process that ends without a word, and not of the others", async () => {
    const { lifelines, ranks } = await open();
    const all = [await enter(lifelines, 0), await enter(lifelines, 1), await enter(lifelines, 2)];
    const gone: number[] = [];
    for (const { index, ended } of ranks) void ended.then(() => gone.push(index));
    for (const rank of [2, 0]) {
      all[rank]?.[Symbol.dispose]();
      expect(await ranks[rank]?.ended).toEqual({ exitCode: null, signal: null, lastWords: null });
    }
    expect(gone).toEqual([2, 0]);
  });

  it("keep a rank that has lost its coordinator no longer than it is patient", async () => {
    const { lifelines, ranks } = await open();
    const lifeline = await enter(lifelines, 1);
    const lost = { code: "COORDINATOR_LOST", endpoint: "tcp://h:1", silentMs: 30_000, problem: "no answer" } as const;
    const failure = await failureWithCode("COORDINATOR_LOST", () => lifeline.done(lost, 10));
    expect(failure).toEqual(lost);
    // It was told all the same.
    expect(await ranks[0]?.ended).toMatchObject({ exitCode: 5 });
  });

  it("bring a rank that has lost its coordinator the exit code when that comes in time", async () => {
    const { lifelines, ranks } = await open();
    const lifeline = await enter(lifelines, 1);
    const lost = { code: "COORDINATOR_LOST", endpoint: "tcp://h:1", silentMs: 30_000, problem: "no answer" } as const;
    const exitCode = lifeline.done(lost, 60_000);
    await ranks[0]?.ended;
    void lifelines.farewell(4);
    expect(await exitCode).toBe(4);
  });

  it("pass on why a rank could not do its work", async () => {
    const { lifelines, ranks } = await open();
    const lifeline = await enter(lifelines, 0);
    const failure = {
      code: "ENGINE_UNAVAILABLE",
      engine: "tensorflow",
      problem: "none",
      remedy: "Install one",
    } as const;
    const exitCode = lifeline.done(failure);
    expect(await ranks[0]?.ended).toMatchObject({
      exitCode: 4,
      lastWords: expect.stringContaining("engine tensorflow"),
    });
    void lifelines.farewell(4);
    expect(await exitCode).toBe(4);
  });

  it("let a rank know that the coordinator is gone, or has given it up", async () => {
    const { lifelines, ranks } = await open();
    const lifeline = await enter(lifelines, 0);
    const aborted = once(lifeline.signal, "abort");
    ranks[0]?.kill();
    await aborted;
    expect(lifeline.signal.reason).toMatchObject({
      failure: { code: "COORDINATOR_LOST", problem: expect.stringContaining("lifeline") },
    });
    await expect(lifeline.done(null)).rejects.toMatchObject({ failure: { code: "COORDINATOR_LOST" } });
  });

  it("hang up on strangers, on a second process of the same rank and on nonsense", async () => {
    const { lifelines, ranks } = await open();
    await expect(enter(lifelines, 0, { token: "guessed" })).rejects.toMatchObject({
      failure: { code: "COORDINATOR_LOST" },
    });
    await enter(lifelines, 0);
    await expect(enter(lifelines, 0)).rejects.toMatchObject({ failure: { code: "COORDINATOR_LOST" } });
    const { place } = lifelines;
    if (!("path" in place)) throw new Error("a path expected");
    const stranger = connect(place.path).resume();
    stranger.write("GET / HTTP/1.1\n");
    await once(stranger, "close");
    const hung = deferred<void>();
    const silent = connect(place.path)
      .resume()
      .once("close", () => hung.resolve());
    await once(silent, "connect");
    await lifelines[Symbol.asyncDispose]();
    await hung.promise;
    expect(ranks.map(({ index }) => index)).toEqual([0]);
  });

  it("name an address that can't be listened at", async () => {
    await expect(RankLifelines.open({ path: "/nowhere/at/all/socket" }, RUN)).rejects.toMatchObject({
      failure: {
        code: "ENDPOINT_UNAVAILABLE",
        endpoint: "/nowhere/at/all/socket",
        problem: expect.stringMatching(/^listen E/),
      },
    });
  });
});
