import { describe, expect, it } from "vitest";
import { type Measure, measureSystems } from "../../../../bench/allreduce/measure-systems.js";
import { sizePlan, warmUpPlan } from "../../../../bench/allreduce/size-plan.js";
import { SLOWEST_ON_ONE_HOST, timeLimitMs } from "../../../../bench/allreduce/time-limit.js";

const slowest = SLOWEST_ON_ONE_HOST;
const SIZES = [sizePlan(1 << 20)];
const timed = (asked: string[], name: string): [string, Measure] => [
  name,
  (sizes) => {
    asked.push(name);
    return Promise.resolve(sizes.map(({ count }) => ({ count, microseconds: asked.length, wrong: 0 })));
  },
];

describe("measureSystems", () => {
  it("asks everybody once in every round, in an order that moves on by one", async () => {
    const asked: string[] = [];
    const rounds: number[] = [];
    const systems = [timed(asked, "a"), timed(asked, "b")];
    const onRound = (round: number) => rounds.push(round);
    const what = { systems, sizes: SIZES, warmUp: null, rounds: 2, slowest, onRound };
    const { measured, orders, copies, failures } = await measureSystems(what);
    expect(asked).toEqual(["a", "b", "b", "a"]);
    expect(orders).toEqual([
      ["a", "b"],
      ["b", "a"],
    ]);
    expect(rounds).toEqual([1, 2]);
    expect(measured.get("b")?.map(([timing]) => timing?.microseconds)).toEqual([2, 3]);
    expect(copies.get(1 << 18)).toBeGreaterThan(0);
    expect(failures.size).toBe(0);
  });

  it("lets each of three begin a round", async () => {
    const asked: string[] = [];
    const systems = ["a", "b", "c"].map((name) => timed(asked, name));
    await measureSystems({ systems, sizes: SIZES, warmUp: null, rounds: 3, slowest, onRound: () => undefined });
    expect(asked.join("")).toBe("abcbcacab");
  });

  it("lets everybody warm up in the same processes, and keeps no figures of that", async () => {
    const warmUp = warmUpPlan(true);
    const asked: (readonly number[])[] = [];
    const measure: Measure = (sizes) => {
      asked.push(sizes.map(({ count }) => count));
      return Promise.resolve(sizes.map(({ count }) => ({ count, microseconds: 1, wrong: 0 })));
    };
    const what = {
      systems: [["a", measure] as const],
      sizes: SIZES,
      warmUp,
      rounds: 1,
      slowest,
      onRound: () => undefined,
    };
    const { measured } = await measureSystems(what);
    expect(asked).toEqual([[warmUp.count, 1 << 18]]);
    expect(measured.get("a")?.map((timings) => timings.map(({ count }) => count))).toEqual([[1 << 18]]);
  });

  it("gives everybody the same time, by what is asked", async () => {
    const limits: number[] = [];
    const measure: Measure = (_, limitMs) => {
      limits.push(limitMs);
      return Promise.resolve([]);
    };
    const systems = [["a", measure] as const, ["b", measure] as const];
    await measureSystems({
      systems,
      sizes: SIZES,
      warmUp: warmUpPlan(true),
      rounds: 1,
      slowest,
      onRound: () => undefined,
    });
    const limitMs = timeLimitMs([warmUpPlan(true), ...SIZES], slowest);
    expect(limits).toEqual([limitMs, limitMs]);
  });

  it("goes on without who fails, and says why", async () => {
    const asked: string[] = [];
    const failing: [string, Measure] = ["c", () => Promise.reject(new Error("rank 1 ended with exit code 1"))];
    const systems = [failing, timed(asked, "a")];
    const what = { systems, sizes: SIZES, warmUp: null, rounds: 2, slowest, onRound: () => undefined };
    const { measured, failures } = await measureSystems(what);
    expect(asked).toEqual(["a", "a"]);
    expect([...measured.keys()]).toEqual(["a"]);
    expect([...failures]).toEqual([["c", "rank 1 ended with exit code 1"]]);
  });
});
