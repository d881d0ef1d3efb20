import type { SubmitState, SubmitStepName } from "../stores/submit-store.js";

const LABELS: Readonly<Record<SubmitStepName, string>> = {
  post: "Check the document and make a job",
  uploadData: "Upload the data",
  attachData: "Give the data to the job",
  uploadLabels: "Upload the labels",
  attachLabels: "Give the labels to the job",
  train: "Put the job in the queue",
};

/** How far a submission has come. Announced to screen readers. */
export function SubmitSteps({ state }: { readonly state: SubmitState }) {
  return (
    <ol class="steps" aria-live="polite">
      {state.steps.map(({ name, state: progress }) => (
        <li key={name} class={progress}>
          {LABELS[name]} <span class="muted">{progress}</span>
        </li>
      ))}
    </ol>
  );
}
