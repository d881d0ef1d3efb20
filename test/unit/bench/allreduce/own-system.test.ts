import { describe, expect, it } from "vitest";
import { measureOwn, type RanksToMeasure } from "../../../../bench/allreduce/own-system.js";
import { THIS_HOST } from "../../../../bench/allreduce/rank-hosts.js";
import { sizePlan } from "../../../../bench/allreduce/size-plan.js";

const RING = { collective: "ring", transport: "ipc" } as const;

/** One rank that is this shell command instead. */
function instead(command: string, limitMs = 60_000): RanksToMeasure {
  const hosts = { ...THIS_HOST, through: () => ["sh", "-c", command, "sh"] };
  return { ranks: 1, sizes: [sizePlan(4)], limitMs, hosts };
}

describe("measureOwn", () => {
  // Should this come back, it starves the test's own timer: the process ends where its heap does.
  it("says by which signal a rank has ended, instead of waiting for its word", async () => {
    await expect(measureOwn(RING, instead("kill -KILL $$"))).rejects.toThrow("rank 0 ended: SIGKILL");
  });

  it("waits no longer for a rank than a peer may take, and names it", async () => {
    const failing = measureOwn(RING, instead("exec sleep 60", 100));
    await expect(failing).rejects.toThrow("rank 0, at 1 numbers, took longer than 0.1 s");
  });

  it("says with which exit code a rank has ended", async () => {
    await expect(measureOwn(RING, instead("exit 3"))).rejects.toThrow("rank 0 ended: 3");
  });
});
