import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runBench } from "../support/run-bench.js";

/** The short form of `npm run bench:kill-server`, which says what is checked. */
describe("a server that is killed again and again", () => {
  const hasProc = existsSync("/proc/self/status");
  it.skipIf(!hasProc)(
    "keeps all that it acknowledged, and nothing half-written (needs /proc)",
    async () => {
      const { exitCode, result } = await runBench("kill-server", ["--kills", "3", "--seed", "3"]);
      expect(result["faults"]).toEqual([]);
      expect(result["kills"]).toBeGreaterThanOrEqual(3);
      const met = result["met"] as Record<string, number>;
      for (const moment of ["upload", "training", "storing"]) expect(met[moment], moment).toBeGreaterThan(0);
      expect(result["jobs"]).toBeGreaterThan(0);
      expect(exitCode).toBe(0);
    },
    600_000,
  );
});
