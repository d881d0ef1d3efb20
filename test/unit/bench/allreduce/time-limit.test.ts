import { describe, expect, it } from "vitest";
import { readLinkShape, slowestOver } from "../../../../bench/allreduce/link-shape.js";
import { linkSizePlan, sizePlan, sizePlans, warmUpPlan } from "../../../../bench/allreduce/size-plan.js";
import { SLOWEST_ON_ONE_HOST, TimeLimit, timeLimitMs } from "../../../../bench/allreduce/time-limit.js";

const MEGABYTE = 2 ** 20;
/** Those of bench:links. */
const LINK_SIZES = [65_536, 1_740_800, 26_214_400, 104_857_600];

describe("timeLimitMs", () => {
  it("is the time to start, and that of each exchange at the slowest pace", () => {
    const size = { count: 250_000, repetitions: 8, warmUps: 2 };
    expect(timeLimitMs([], SLOWEST_ON_ONE_HOST)).toBe(120_000);
    expect(timeLimitMs([size, size], { exchangeMs: 5, bytesPerSecond: 1e6 })).toBe(120_000 + 2 * 10 * (5 + 1000));
  });

  it("is one that timers can count to", () => {
    expect(timeLimitMs(sizePlans(4, 2 ** 40), { exchangeMs: 1, bytesPerSecond: 1 })).toBe(2 ** 31 - 1);
  });

  it("leaves Gloo several times what it took over a link that loses packets", () => {
    const tookMs = [4.626, 95, 1313, 5250];
    const plans = LINK_SIZES.map(linkSizePlan);
    const gloo = plans.reduce(
      (sum, { repetitions, warmUps }, at) => sum + (repetitions + warmUps) * (tookMs[at] ?? 0),
      0,
    );
    const limitMs = timeLimitMs([warmUpPlan(true), ...plans], slowestOver(readLinkShape("1:0.1")));
    expect(limitMs).toBeGreaterThan(3 * gloo);
    // And not hours, should one hang.
    expect(limitMs).toBeLessThan(15 * 60_000);
  });

  it("grows as a link gets slower, or loses more", () => {
    const limits = ["4", "1", "0.1", "0.1:0.1", "0.1:1"].map((text) => {
      return timeLimitMs(LINK_SIZES.map(linkSizePlan), slowestOver(readLinkShape(text)));
    });
    expect(limits).toEqual(limits.toSorted((a, b) => a - b));
  });
});

describe("what is moved over a link", () => {
  it("is less than within a host: 192 MiB a size, where three repetitions don't take more", () => {
    for (const bytes of LINK_SIZES) {
      const { repetitions } = linkSizePlan(bytes);
      expect(repetitions * bytes).toBeLessThanOrEqual(Math.max(192 * MEGABYTE, 3 * bytes));
      expect(repetitions).toBeLessThanOrEqual(sizePlan(bytes).repetitions);
    }
    expect(linkSizePlan(26_214_400).repetitions).toBe(7);
    expect(sizePlan(26_214_400).repetitions).toBe(40);
  });
});

describe("TimeLimit", () => {
  it("names who took longer", async () => {
    using limit = new TimeLimit(1);
    expect(() => limit.check("rank 1")).not.toThrow();
    await limit.reached;
    expect(() => limit.check("rank 1")).toThrow("rank 1 took longer than 0.001 s");
  });
});
