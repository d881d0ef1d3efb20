import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkpointFileName,
  decodePrologue,
  encodePrologue,
  isUnfinishedCheckpoint,
  stepOfFileName,
  surplusCheckpoints,
} from "../../../../coordinator/checkpoint/checkpoint-format.js";
import { unfinishedSibling } from "../../../../shared/durable-file.js";

const STEP = fc.integer({ min: 0, max: 1e14 });

describe("names of checkpoints", () => {
  it("tell their step", () => {
    fc.assert(
      fc.property(STEP, (step) => {
        expect(stepOfFileName(checkpointFileName(step))).toBe(step);
      }),
    );
    for (const other of ["model.json", "step-1.ckpt", "step-000000000001.ckpt.old", ".step-000000000001.ckpt"])
      expect(stepOfFileName(other)).toBeNull();
  });

  it("tell unfinished ones, which are no checkpoints", () => {
    const name = unfinishedSibling(checkpointFileName(12));
    expect(isUnfinishedCheckpoint(name)).toBe(true);
    expect(stepOfFileName(name)).toBeNull();
    expect(isUnfinishedCheckpoint(checkpointFileName(12))).toBe(false);
  });
});

describe("surplusCheckpoints", () => {
  it("leaves the last K up to the newest, all later ones, and whatever is none", () => {
    const steps = fc.uniqueArray(fc.integer({ min: 1, max: 50 }), { minLength: 1 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 5 }), (all, keep) => {
        const newest = all[0] ?? 1;
        const surplus = surplusCheckpoints([...all.map(checkpointFileName), "notes.txt"], newest, keep);
        const removed = surplus.map(stepOfFileName);
        const kept = all.filter((step) => !removed.includes(step) && step <= newest);
        expect(kept).toHaveLength(Math.min(keep, all.filter((step) => step <= newest).length));
        expect(kept).toContain(newest);
        for (const step of removed) expect(step).toBeLessThan(Math.min(...kept));
        expect(surplus).not.toContain("notes.txt");
      }),
    );
  });
});

describe("the prologue", () => {
  it("tells the length of the state", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (stateBytes) => {
        expect(decodePrologue(encodePrologue(stateBytes))).toEqual({ kind: "known", stateBytes });
      }),
    );
  });

  it("of another format, and of none, is told", () => {
    const bytes = encodePrologue(40);
    bytes.writeUInt32LE(2, 8);
    const problem = "it is in format 2, and this version reads format 1";
    expect(decodePrologue(bytes)).toEqual({ kind: "foreign", problem });
    expect(decodePrologue(Buffer.alloc(24))).toEqual({ kind: "none", problem: "it is no checkpoint of ringstrasse" });
  });
});
