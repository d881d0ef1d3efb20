import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runBench } from "../support/run-bench.js";

/** The short form of `npm run bench:many-jobs`, which says what is checked. */
describe("a server with many jobs", () => {
  const hasProc = existsSync("/proc/self/status");
  it.skipIf(!hasProc)("trains or cancels each rightly, and stays as small as it was (needs /proc)", async () => {
    // Time per job is bounded by the long form on a quiet machine; here any machine may run it.
    const { exitCode, result } = await runBench("many-jobs", [
      "--jobs",
      "60",
      "--growth-mb",
      "96",
      "--job-ms",
      "10000",
    ]);
    expect(result["complaints"]).toEqual([]);
    expect(result["finished"]).toBeGreaterThanOrEqual(57);
    expect(Number(result["finished"]) + Number(result["cancelled"])).toBe(60);
    const memory = result["memory"] as { role: string }[];
    expect(memory.filter(({ role }) => role === "worker")).toHaveLength(2);
    expect(memory.filter(({ role }) => role === "coordinator")).toHaveLength(1);
    expect(exitCode).toBe(0);
  });
});
