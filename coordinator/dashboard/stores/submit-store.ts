import { unreachable } from "../../../shared/unreachable.js";
import type { ApiProblem } from "../api/api-error.js";

/** What is done on the way from a document to a waiting job, in this order. */
export type SubmitStepName = "post" | "uploadData" | "attachData" | "uploadLabels" | "attachLabels" | "train";

export type SubmitStepState = "waiting" | "running" | "done" | "failed";

export interface SubmitStep {
  readonly name: SubmitStepName;
  readonly state: SubmitStepState;
}

/** What has been handed to the server so far; kept when a step fails, so that trying again goes on from there. */
export interface Handed {
  readonly jobId: string | null;
  readonly dataId: string | null;
  readonly labelsId: string | null;
}

export interface SubmitState {
  /** Empty: nothing has been submitted yet. */
  readonly steps: readonly SubmitStep[];
  readonly handed: Handed;
  /** Of the step that failed. */
  readonly problem: ApiProblem | null;
}

export interface SubmitPlan {
  readonly data: boolean;
  readonly labels: boolean;
  readonly train: boolean;
}

export type SubmitAction =
  | { readonly kind: "begun"; readonly plan: SubmitPlan }
  | { readonly kind: "stepBegun"; readonly name: SubmitStepName }
  | { readonly kind: "stepDone"; readonly name: SubmitStepName; readonly handed: Partial<Handed> }
  | { readonly kind: "stepFailed"; readonly name: SubmitStepName; readonly problem: ApiProblem }
  /** Another document is another job; other files may still go to a job that was made but has none yet. */
  | { readonly kind: "changed"; readonly what: "document" | "files" };

export const NOTHING_SUBMITTED: SubmitState = {
  steps: [],
  handed: { jobId: null, dataId: null, labelsId: null },
  problem: null,
};

/** Pure. */
export function reduceSubmit(state: SubmitState, action: SubmitAction): SubmitState {
  switch (action.kind) {
    case "begun":
      return state.steps.length > 0
        ? { ...state, problem: null }
        : { ...state, steps: stepsOf(action.plan, state.handed) };
    case "stepBegun":
      return withStep({ ...state, problem: null }, action.name, "running");
    case "stepDone":
      return withStep({ ...state, handed: { ...state.handed, ...action.handed } }, action.name, "done");
    case "stepFailed":
      return withStep({ ...state, problem: action.problem }, action.name, "failed");
    case "changed":
      if (action.what === "document") return NOTHING_SUBMITTED;
      return { ...NOTHING_SUBMITTED, handed: { ...NOTHING_SUBMITTED.handed, jobId: state.handed.jobId } };
    default:
      return unreachable(action);
  }
}

/** The step to do next; null when all are done. Pure. */
export function nextStep(state: SubmitState): SubmitStepName | null {
  return state.steps.find((step) => step.state !== "done")?.name ?? null;
}

export function isRunning(state: SubmitState): boolean {
  return state.steps.some((step) => step.state === "running");
}

function stepsOf({ data, labels, train }: SubmitPlan, { jobId }: Handed): SubmitStep[] {
  const names: SubmitStepName[] = ["post"];
  if (data) names.push("uploadData", "attachData");
  if (labels) names.push("uploadLabels", "attachLabels");
  if (train) names.push("train");
  return names.map((name) => ({ name, state: name === "post" && jobId !== null ? "done" : "waiting" }));
}

function withStep(state: SubmitState, name: SubmitStepName, to: SubmitStepState): SubmitState {
  return { ...state, steps: state.steps.map((step) => (step.name === name ? { name, state: to } : step)) };
}
