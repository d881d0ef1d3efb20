import { unreachable } from "../../../shared/unreachable.js";
import type { ApiClient } from "../api/api-client.js";
import { toProblem } from "../api/api-error.js";
import type { Store } from "../stores/store.js";
import {
  type Handed,
  nextStep,
  type SubmitAction,
  type SubmitState,
  type SubmitStepName,
} from "../stores/submit-store.js";

export interface Submission {
  readonly xml: string;
  readonly data: File | null;
  readonly labels: File | null;
  readonly train: boolean;
}

/**
 * Hands a submission to the server step by step, going on behind the last step that was done.
 * @returns the job's id when all is done; null when a step failed (then the store says why). Never rejects.
 */
export async function submitJob(
  api: ApiClient,
  store: Store<SubmitState, SubmitAction>,
  submission: Submission,
): Promise<string | null> {
  const { data, labels, train } = submission;
  store.dispatch({ kind: "begun", plan: { data: data !== null, labels: labels !== null, train } });
  for (let name = nextStep(store.state); name !== null; name = nextStep(store.state)) {
    store.dispatch({ kind: "stepBegun", name });
    try {
      const handed = await perform(api, name, submission, store.state.handed);
      store.dispatch({ kind: "stepDone", name, handed });
    } catch (thrown) {
      store.dispatch({ kind: "stepFailed", name, problem: toProblem(thrown) });
      return null;
    }
  }
  return store.state.handed.jobId;
}

async function perform(
  api: ApiClient,
  name: SubmitStepName,
  { xml, data, labels }: Submission,
  handed: Handed,
): Promise<Partial<Handed>> {
  switch (name) {
    case "post":
      return { jobId: await api.submit(xml) };
    case "uploadData":
      return { dataId: await uploaded(api, data) };
    case "uploadLabels":
      return { labelsId: await uploaded(api, labels) };
    case "attachData":
      await api.attach(present(handed.jobId), present(handed.dataId));
      return {};
    case "attachLabels":
      await api.attach(present(handed.jobId), present(handed.labelsId));
      return {};
    case "train":
      await api.command(present(handed.jobId), "train");
      return {};
    default:
      return unreachable(name);
  }
}

function uploaded(api: ApiClient, file: File | null): Promise<string> {
  const chosen = present(file);
  return api.upload(chosen, chosen.name);
}

/** The steps' order sees to it that what a step needs is there. */
function present<T>(value: T | null): T {
  if (value === null) throw new Error("a step of the submission came before the one it needs");
  return value;
}
