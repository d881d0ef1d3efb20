import { describe, expect, it } from "vitest";
import { judgeHealth, type Vitals, WatchClock } from "../../../../coordinator/group/worker-health.js";

const policy = { silentAfterMs: 1000, stalledAfterMs: 5000 };
const vitals = (workerId: string, changes: Partial<Vitals> = {}): Vitals => ({
  workerId,
  lastHeartbeatMs: 10_000,
  lastProgressMs: 10_000,
  phase: "compute",
  step: 3,
  ...changes,
});

describe("judgeHealth", () => {
  it("finds nothing wrong with workers that answer and get on", () => {
    expect(judgeHealth(10_900, [vitals("a"), vitals("b")], policy)).toEqual({ kind: "healthy" });
  });

  it("names the worker that has been silent longest", () => {
    const workers = [vitals("a"), vitals("b", { lastHeartbeatMs: 8000 }), vitals("c", { lastHeartbeatMs: 8500 })];
    expect(judgeHealth(10_000, workers, policy)).toEqual({ kind: "silent", workerId: "b", silentMs: 2000 });
  });

  it("blames the worker whose computation stands still, not those that wait for it", () => {
    const waiting = { phase: "exchange", lastProgressMs: 4000 } as const;
    const workers = [vitals("a", waiting), vitals("b", { lastProgressMs: 4500 }), vitals("c", waiting)];
    expect(judgeHealth(10_000, workers, policy)).toMatchObject({
      kind: "stalled",
      workerId: "b",
      why: "phase compute",
    });
  });

  it("blames nobody while some workers wait and others compute", () => {
    const workers = [vitals("a", { phase: "exchange", lastProgressMs: 1000 }), vitals("b")];
    expect(judgeHealth(10_000, workers, policy).kind).toBe("healthy");
  });

  it("names the one furthest behind when all wait in the exchange", () => {
    const waiting = { phase: "exchange", lastProgressMs: 1000 } as const;
    const workers = [vitals("a", { ...waiting, step: 4 }), vitals("b", { ...waiting, step: 3 })];
    const verdict = judgeHealth(10_000, workers, policy);
    expect(verdict).toMatchObject({ kind: "stalled", workerId: "b" });
  });

  it("names the one that waits in the exchange for a worker that has finished", () => {
    const workers = [
      vitals("a", { phase: "idle", lastProgressMs: 0, step: 9 }),
      vitals("b", { phase: "exchange", lastProgressMs: 1000, step: 9 }),
    ];
    expect(judgeHealth(10_000, workers, policy)).toMatchObject({ kind: "stalled", workerId: "b", stalledMs: 9000 });
  });

  it("blames nobody while one has finished and another computes, or waits for one that does", () => {
    const idle = vitals("a", { phase: "idle", lastProgressMs: 0 });
    expect(judgeHealth(10_000, [idle, vitals("b")], policy).kind).toBe("healthy");
    const waiting = vitals("c", { phase: "exchange", lastProgressMs: 1000 });
    expect(judgeHealth(10_000, [idle, vitals("b"), waiting], policy).kind).toBe("healthy");
  });

  it("never calls an idle worker stalled", () => {
    expect(judgeHealth(10_000, [vitals("a", { phase: "idle", lastProgressMs: 0 })], policy).kind).toBe("healthy");
  });
});

describe("WatchClock", () => {
  it("counts time, but not the watcher's own pauses", () => {
    const clock = new WatchClock(1000);
    expect(clock.tick(500)).toBe(0);
    expect(clock.tick(700)).toBe(200);
    expect(clock.tick(60_700)).toBe(1200);
    expect(clock.tick(60_900)).toBe(1400);
  });
});
