import { describe, expect, it } from "vitest";
import { launch } from "../../../../bench/allreduce/run-system.js";

describe("launch", () => {
  it("reads a line for each size, among whatever else is said", async () => {
    const timings = await launch("echo", ["hello\n1 2.5 0\n4 3 1"], { limitMs: 60_000 });
    expect(timings).toEqual([
      { count: 1, microseconds: 2.5, wrong: 0 },
      { count: 4, microseconds: 3, wrong: 1 },
    ]);
  });

  it("ends who takes longer than it may, and says so", async () => {
    await expect(launch("sleep", ["60"], { limitMs: 100 })).rejects.toThrow("sleep took longer than 0.1 s");
  });

  it("fails as the program does", async () => {
    await expect(launch("sh", ["-c", "exit 3"], { limitMs: 60_000 })).rejects.toThrow("Command failed: sh -c exit 3");
  });

  it("ends with what asked for it", async () => {
    const over = new AbortController();
    const launched = launch("sleep", ["60"], { limitMs: 60_000, signal: over.signal });
    over.abort();
    await expect(launched).rejects.toThrow("Command failed: sleep 60");
  });
});
