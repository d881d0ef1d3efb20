import { describe, expect, it } from "vitest";
import { type Measure, measureSystems } from "../../../../bench/allreduce/measure-systems.js";
import { sizePlan } from "../../../../bench/allreduce/size-plan.js";

const SIZES = [sizePlan(1 << 20)];
const timed = (asked: string[], name: string): [string, Measure] => [
  name,
  (sizes) => {
    asked.push(name);
    return Promise.resolve(sizes.map(({ count }) => ({ count, microseconds: asked.length, wrong: 0 })));
  },
];

describe("measureSystems", () => {
  it("asks everybody once in every round, in turn", async () => {
    const asked: string[] = [];
    const rounds: number[] = [];
    const systems = [timed(asked, "a"), timed(asked, "b")];
    const onRound = (round: number) => rounds.push(round);
    const { measured, copies, failures } = await measureSystems({ systems, sizes: SIZES, rounds: 2, onRound });
    expect(asked).toEqual(["a", "b", "a", "b"]);
    expect(rounds).toEqual([1, 2]);
    expect(measured.get("b")?.map(([timing]) => timing?.microseconds)).toEqual([2, 4]);
    expect(copies.get(1 << 18)).toBeGreaterThan(0);
    expect(failures.size).toBe(0);
  });

  it("goes on without who fails, and says why", async () => {
    const asked: string[] = [];
    const failing: [string, Measure] = ["c", () => Promise.reject(new Error("rank 1 ended with exit code 1"))];
    const systems = [failing, timed(asked, "a")];
    const { measured, failures } = await measureSystems({ systems, sizes: SIZES, rounds: 2, onRound: () => undefined });
    expect(asked).toEqual(["a", "a"]);
    expect([...measured.keys()]).toEqual(["a"]);
    expect([...failures]).toEqual([["c", "rank 1 ended with exit code 1"]]);
  });
});
