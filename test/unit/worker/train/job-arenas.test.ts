import { describe, expect, it } from "vitest";
import type { CollectiveName } from "../../../../shared/collective-choice.js";
import { SharedMemory } from "../../../../worker/kernels/shared-memory.js";
import { type ArenaAssignment, allocateJobArenas } from "../../../../worker/train/job-arenas.js";
import { arenaJob } from "../../../support/arena-job.js";
import { failureWithCode } from "../../../support/failure-with-code.js";

const ADAM = { kind: "adam", learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 } as const;

/** Two workers with a replica each. */
function assignment(paddedLength: number, collective: CollectiveName): ArenaAssignment {
  const spec = arenaJob(paddedLength, { optimizer: ADAM, replicas: 2 });
  return { spec, rank: 0, worldSize: 2, collectives: [collective] };
}

describe("allocateJobArenas", () => {
  it("says what has no window where that alone is too much, and takes no memory", async () => {
    const memory = new SharedMemory();
    const before = memory.usedBytes;
    const act = (): unknown => allocateJobArenas(memory, assignment(100_000_000, "shm"));
    const failure = await failureWithCode("ENGINE_UNAVAILABLE", act);
    // 12 arenas of 0.37 GiB, and 9 without those that a window has more.
    expect(failure).toMatchObject({
      problem: expect.stringContaining("all 2 replicas, which shm shares, the model's arenas need 4.47 GiB"),
      remedy: expect.stringMatching(/--collective hierarchical or ring: .* needs 3\.35 GiB/),
    });
    expect(memory.usedBytes).toBe(before);
  });

  it.each(["shm", "ring"] as const)("of a model that is too large for any: the model is (%s)", async (collective) => {
    const act = (): unknown => allocateJobArenas(new SharedMemory(), assignment(200_000_000, collective));
    const failure = await failureWithCode("ENGINE_UNAVAILABLE", act);
    expect(failure).toMatchObject({ remedy: expect.stringContaining("Use a smaller model") });
  });
});
