import { describe, expect, it } from "vitest";
import { describeChoice } from "../../../../coordinator/group/describe-choice.js";
import type { CollectiveFigures, MeasuredChoice } from "../../../../shared/collective-choice.js";

const RING: CollectiveFigures = { collective: "ring", latencyMs: 0.1234, bandwidthBps: 8.1e8, expectedMs: 2.345 };
const SHM: CollectiveFigures = { collective: "shm", latencyMs: 0.05, bandwidthBps: null, expectedMs: 0.9 };

describe("describeChoice", () => {
  it("says in one line what was taken, with the figures of all", () => {
    const choice: MeasuredChoice = { collective: "shm", payloadBytes: 1_740_800, candidates: [RING, SHM] };
    expect(describeChoice(choice)).toBe(
      "shm, since an exchange of 1.74 MB is expected to take 0.90 ms (latency 0.050 ms), " +
        "and 2.3 ms (latency 0.12 ms, 0.81 GB/s) by ring",
    );
  });

  it.each([
    [64, "64 bytes"],
    [4096, "4.10 kB"],
    [104_857_600, "105 MB"],
  ])("names %i bytes as people do", (payloadBytes, text) => {
    expect(describeChoice({ collective: "ring", payloadBytes, candidates: [RING, SHM] })).toContain(`of ${text} is`);
  });

  it("does not describe a choice of what was not measured", () => {
    const choice: MeasuredChoice = { collective: "hierarchical", payloadBytes: 64, candidates: [RING, SHM] };
    expect(() => describeChoice(choice)).toThrow("hierarchical is not one of those that were measured");
  });
});
