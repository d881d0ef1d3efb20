import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BatchState } from "../../../../coordinator/batch/batch-scheduler.js";
import {
  type BatchView,
  batchFailure,
  decideBatch,
  isWorthTelling,
  lastWordsOf,
  REPORT_GRACE_MS,
} from "../../../../coordinator/batch/decide-batch.js";

const state: fc.Arbitrary<BatchState> = fc.oneof(
  fc.constant({ kind: "waiting", reason: "Priority" } as const),
  fc.constant({ kind: "running" } as const),
  fc.constant({ kind: "unknown" } as const),
  fc.record({
    kind: fc.constant("ended" as const),
    state: fc.constantFrom("FAILED", "TIMEOUT", "COMPLETED"),
    exitCode: fc.constant(1),
  }),
);
const view: fc.Arbitrary<BatchView> = fc.record({
  status: fc.constantFrom("QUEUED" as const, "INPROGRESS" as const),
  state,
  hasReported: fc.boolean(),
  overForMs: fc.integer({ min: 0, max: 2 * REPORT_GRACE_MS }),
  isHeldUp: fc.boolean(),
  hasWaited: fc.boolean(),
});
const isOver = ({ state: { kind } }: BatchView) => kind === "ended" || kind === "unknown";

describe("decideBatch", () => {
  it("fails nothing that the batch system may still start again, nothing whose reports wait for the server, and nothing without a word before the grace is over", () => {
    fc.assert(
      fc.property(view, (each) => {
        const mayFail = isOver(each) && !each.isHeldUp && (each.hasReported || each.overForMs >= REPORT_GRACE_MS);
        expect(decideBatch(each) === "failed").toBe(mayFail);
      }),
    );
  });

  it("takes a run that was going on for waiting again exactly when its batch job waits at two looks in a row", () => {
    fc.assert(
      fc.property(view, (each) => {
        const waits = each.state.kind === "waiting" && each.status === "INPROGRESS";
        expect(decideBatch(each) === "waitsAgain").toBe(waits && each.hasWaited);
        expect(decideBatch(each) === "lookSoon").toBe(waits && !each.hasWaited);
      }),
    );
  });
});

describe("batchFailure", () => {
  const ended = (word: string, exitCode: number | null = 1): BatchState => ({ kind: "ended", state: word, exitCode });
  const silent = { reported: null, lastWords: null, log: "/jobs/1/slurm-7.out" };

  it.each([
    [
      ended("FAILED", 4),
      { ...silent, lastWords: "node2: /data is not there. Put it on" },
      "FAILED",
      "node2: /data is not there. Put it on",
    ],
    [ended("FAILED"), { ...silent, reported: "loss is NaN." }, "FAILED", "loss is NaN"],
    [ended("FAILED", 9), silent, "FAILED", "it ended with exit code 9, and the run has not said why"],
    [ended("CANCELLED", null), silent, "CANCELLED", "it ended, and the run has not said why"],
    [{ kind: "unknown" } as const, silent, "UNKNOWN", "does not know it any more"],
  ])("%j %j: %s, %s", (how, said, word, problem) => {
    const failure = batchFailure("7", how, said);
    expect(failure).toMatchObject({
      code: "BATCH_FAILED",
      batchJob: "7",
      state: word,
      problem: expect.stringContaining(problem),
    });
  });

  it.each([
    ["TIMEOUT", "--time"],
    ["OUT_OF_MEMORY", "memory"],
    ["CANCELLED", "outside of this service"],
    ["FAILED", "/jobs/1/slurm-7.out"],
  ])("what to do about %s: %s", (word, remedy) => {
    expect(batchFailure("7", ended(word), silent)).toMatchObject({ remedy: expect.stringContaining(remedy) });
  });
});

describe("what is told", () => {
  it("the last words of this software, whoever speaks after it", () => {
    const log = '{"event":"step"}\nringstrasse: one\nringstrasse: two. Mend it\nsrun: error: node2: task 1: Exited\n';
    expect(lastWordsOf(log)).toBe("two. Mend it");
    expect(lastWordsOf("srun: error\n")).toBeNull();
  });

  it("reasons to wait that don't pass by themselves", () => {
    expect(
      ["Priority", "Resources", "None", "launch failed requeued held", "JobHeldUser"].filter(isWorthTelling),
    ).toEqual(["launch failed requeued held", "JobHeldUser"]);
  });
});
