import { describe, expect, it } from "vitest";
import {
  isRunning,
  NOTHING_SUBMITTED,
  nextStep,
  reduceSubmit,
  type SubmitAction,
  type SubmitState,
} from "../../../../../coordinator/dashboard/stores/submit-store.js";

const everything = { data: true, labels: true, train: true };
const stateAfter = (...actions: readonly SubmitAction[]): SubmitState =>
  actions.reduce(reduceSubmit, NOTHING_SUBMITTED);
const problem = { status: 507, code: "QUOTA_EXCEEDED", message: "the store is full", path: null, line: null };
const posted = [
  { kind: "begun", plan: everything },
  { kind: "stepBegun", name: "post" },
  { kind: "stepDone", name: "post", handed: { jobId: "j1" } },
] as const;
const uploadFailed = [
  ...posted,
  { kind: "stepBegun", name: "uploadData" },
  { kind: "stepFailed", name: "uploadData", problem },
] as const;

describe("submit store", () => {
  it("plans the document first, then each file with its upload, and the queue last", () => {
    const names = (state: SubmitState) => state.steps.map(({ name }) => name);
    expect(names(stateAfter({ kind: "begun", plan: everything }))).toEqual([
      "post",
      "uploadData",
      "attachData",
      "uploadLabels",
      "attachLabels",
      "train",
    ]);
    expect(names(stateAfter({ kind: "begun", plan: { data: false, labels: false, train: false } }))).toEqual(["post"]);
  });

  it("goes on behind the last step that was done", () => {
    const failed = stateAfter(...uploadFailed);
    expect(failed.problem).toEqual(problem);
    expect(isRunning(failed)).toBe(false);
    const again = reduceSubmit(failed, { kind: "begun", plan: everything });
    expect(nextStep(again)).toBe("uploadData");
    expect(again).toMatchObject({ problem: null, handed: { jobId: "j1" } });
  });

  it("gives other files to the job that is there already", () => {
    const again = stateAfter(
      ...uploadFailed,
      { kind: "changed", what: "files" },
      { kind: "begun", plan: { ...everything, labels: false } },
    );
    expect(again.handed).toEqual({ jobId: "j1", dataId: null, labelsId: null });
    expect(nextStep(again)).toBe("uploadData");
    expect(again.steps.some(({ name }) => name === "uploadLabels")).toBe(false);
  });

  it("makes another job of another document", () => {
    const again = stateAfter(
      ...uploadFailed,
      { kind: "changed", what: "document" },
      { kind: "begun", plan: everything },
    );
    expect(nextStep(again)).toBe("post");
    expect(again.handed.jobId).toBeNull();
  });

  it("has nothing left to do when all steps are done", () => {
    const plan = { data: false, labels: false, train: false };
    const done = stateAfter({ kind: "begun", plan }, { kind: "stepDone", name: "post", handed: { jobId: "j1" } });
    expect(nextStep(done)).toBeNull();
    expect(done.handed.jobId).toBe("j1");
  });
});
