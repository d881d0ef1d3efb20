import { describe, expect, it } from "vitest";
import { culpritOf } from "../../../../../coordinator/dashboard/stores/culprit.js";

describe("culprit of a failure", () => {
  it("names worker, host, replicas and step of one that died", () => {
    const failure = {
      code: "WORKER_DIED",
      rank: 2,
      host: "node02",
      pid: 4134,
      replicas: [4, 5],
      step: 1042,
      how: "killed by SIGKILL",
      lastWords: null,
    } as const;
    expect(culpritOf({ ...failure, replicas: [...failure.replicas] })).toMatchObject({
      facts: [
        ["Rank", "2"],
        ["Host", "node02"],
        ["Process", "4134"],
        ["Replicas", "4, 5"],
        ["Step", "1042"],
        ["How it ended", "killed by SIGKILL"],
      ],
      remedy: null,
      problem: expect.stringContaining("died (killed by SIGKILL)"),
    });
  });

  it("tells the remedy apart from the problem", () => {
    const remedy = "Lower the learning rate";
    const failure = { code: "NOT_FINITE", epoch: 7, step: 291, tensor: "loss", value: "NaN", learningRate: 9 } as const;
    const culprit = culpritOf({ ...failure, remedy });
    expect(culprit.remedy).toBe(remedy);
    expect(culprit.problem).toBe("epoch 7, step 291: loss is NaN at learning rate 9");
  });

  it("leaves out what a failure does not say", () => {
    expect(culpritOf({ code: "INTERRUPTED", signal: "SIGINT" })).toEqual({
      facts: [],
      remedy: null,
      problem: "interrupted by SIGINT",
    });
  });
});
