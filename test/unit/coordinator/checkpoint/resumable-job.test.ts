import { describe, expect, it } from "vitest";
import type { ResumableJob } from "../../../../coordinator/checkpoint/checkpoint-format.js";
import { differenceOf } from "../../../../coordinator/checkpoint/resumable-job.js";
import { RESUMABLE_JOB } from "../../../support/saved-checkpoints.js";

const CHANGES: readonly (readonly [Partial<ResumableJob>, string, string, string, RegExp])[] = [
  [{ seed: 7 }, "the seed", "6", "7", /^Give --seed 6,/],
  [{ replicas: 8 }, "the number of replicas", "4", "8", /^Give --replicas 4,/],
  [{ batchSize: 32 }, "the batch size", "16", "32", /^Give --batch-size 16,/],
  [{ epochs: 21 }, "the number of epochs", "20", "21", /^Give --epochs 20,/],
  [
    { datasetSha256: "f".repeat(64) },
    "the SHA-256 of the data",
    RESUMABLE_JOB.datasetSha256,
    "f".repeat(64),
    /the data/,
  ],
  [{ lossThreshold: 0.5 }, "the loss threshold", "null", "0.5", /the document/],
  [{ optimizer: { kind: "sgd", learningRate: 0.1 } }, "the optimizer (kind)", "momentum", "sgd", /the document/],
  [
    { stepRules: { ...RESUMABLE_JOB.stepRules, clipNorm: 2 } },
    "the rules of its steps (clipNorm)",
    "null",
    "2",
    /the options/,
  ],
];

describe("differenceOf", () => {
  it("finds none between a job and itself", () => {
    expect(differenceOf(RESUMABLE_JOB, structuredClone(RESUMABLE_JOB))).toBeNull();
  });

  it.each(CHANGES)("%j: by name, with both values", (change, ...told) => {
    const [what, expected, got, remedy] = told;
    const difference = differenceOf(RESUMABLE_JOB, { ...RESUMABLE_JOB, ...change });
    expect(difference).toEqual({ what, expected, got, remedy: expect.stringMatching(remedy) });
  });

  it("names the place in the network", () => {
    const now = structuredClone(RESUMABLE_JOB);
    const [layer] = now.model.layers;
    if (layer?.kind === "dense") layer.units = 5;
    expect(differenceOf(RESUMABLE_JOB, now)).toMatchObject({
      what: "the network (layers[0].units)",
      expected: "3",
      got: "5",
    });
  });

  it("sees every field: a copy that lacks one differs", () => {
    for (const key of Object.keys(RESUMABLE_JOB) as (keyof ResumableJob)[]) {
      const now = { ...RESUMABLE_JOB, [key]: undefined };
      expect(differenceOf(RESUMABLE_JOB, now)).not.toBeNull();
    }
  });
});
