import type { JobSummary } from "../../../shared/api/job-summary.js";
import type { Failure } from "../../../shared/failure.js";
import { culpritOf } from "../stores/culprit.js";

export interface FailurePanelProps {
  readonly job: JobSummary;
  readonly failure: Failure | null;
}

/** Why the job failed, large: code, who is to blame, what to do. Nothing for a job that did not. */
export function FailurePanel({ job: { status, statusReason }, failure }: FailurePanelProps) {
  if (statusReason === null) return null;
  const known = failure === null ? { facts: [], remedy: null, problem: statusReason.message } : culpritOf(failure);
  const { facts, remedy, problem } = known;
  return (
    <section class={status === "ERROR" ? "failure" : "failure past"} aria-label="Failure">
      <h2>
        <code>{statusReason.code}</code>
      </h2>
      <p class="message">{problem}</p>
      {facts.length === 0 ? null : (
        <dl class="place">
          {facts.map(([label, value]) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
      {remedy === null ? null : (
        <p class="remedy">
          <strong>What to do</strong> {remedy}
        </p>
      )}
    </section>
  );
}
