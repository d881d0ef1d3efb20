import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runBench } from "../support/run-bench.js";

/** Runs of bench/ that need no more than minutes; the long soak is run by hand (`npm run bench:false-alarms`). */
describe("soak", () => {
  it("raises no false alarm in a minute during which every core is overloaded", async () => {
    const { exitCode, result } = await runBench("false-alarms", ["--minutes", "1", "--epochs", "20"]);
    expect(result["alarms"]).toEqual([]);
    expect(result["steps"]).toBeGreaterThan(0);
    expect(exitCode).toBe(0);
  });

  const hasProc = existsSync("/proc/self/status");
  it.skipIf(!hasProc)("holds no large file in memory and does not grow with the steps (needs /proc)", async () => {
    const { exitCode, result } = await runBench("memory", []);
    expect(result["complaints"]).toEqual([]);
    expect((result["large"] as { steps: number }).steps).toBeGreaterThanOrEqual(10_000);
    expect(exitCode).toBe(0);
  });
});
