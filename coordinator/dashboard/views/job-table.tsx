import type { JobSummary } from "../../../shared/api/job-summary.js";
import { formatAge, formatCount, formatFigure, formatPercent } from "../stores/format.js";
import { hashOf } from "../stores/route.js";
import { StatusBadge } from "./status-badge.js";
import { useNow } from "./use-now.js";

const AGE_INTERVAL_MS = 5_000;

/** One line per job. */
export function JobTable({ jobs }: { readonly jobs: readonly JobSummary[] }) {
  const nowMs = useNow(AGE_INTERVAL_MS);
  return (
    <div class="scroll">
      <table class="jobs">
        <thead>
          <tr>
            <th scope="col">Status</th>
            <th scope="col">Job</th>
            <th scope="col">Progress</th>
            <th scope="col" class="number">
              Train loss
            </th>
            <th scope="col" class="number">
              Test accuracy
            </th>
            <th scope="col" class="number">
              Samples/s
            </th>
            <th scope="col" class="number">
              Workers × replicas
            </th>
            <th scope="col" class="number">
              Attempt
            </th>
            <th scope="col" class="number">
              Priority
            </th>
            <th scope="col">Updated</th>
          </tr>
        </thead>
        <tbody>
          {jobs.map((job) => (
            <JobRow key={job.id} job={job} nowMs={nowMs} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function JobRow({ job, nowMs }: { readonly job: JobSummary; readonly nowMs: number }) {
  const { id, name, status, statusReason, workers, replicas, attempt, priority, updatedAt } = job;
  return (
    <tr data-job={id}>
      <td>
        <StatusBadge status={status} />
      </td>
      <th scope="row" class="job-name">
        <a href={hashOf({ page: "job", id })}>{name === "" ? "(no name)" : name}</a>
        <code class="id">{id}</code>
        {statusReason === null ? null : (
          <span class="reason" title={statusReason.message}>
            {statusReason.code}
          </span>
        )}
      </th>
      <td>
        <Progress done={job.epoch} of={job.epochs} />
      </td>
      <td class="number">{formatFigure(job.trainLoss)}</td>
      <td class="number">{formatPercent(job.testAccuracy)}</td>
      <td class="number">{formatCount(job.samplesPerSecond)}</td>
      <td class="number">{workers === null || replicas === null ? "–" : `${workers} × ${replicas}`}</td>
      <td class="number">{attempt}</td>
      <td class="number">{priority}</td>
      <td title={new Date(updatedAt).toLocaleString()}>{formatAge(Date.parse(updatedAt), nowMs)}</td>
    </tr>
  );
}

interface ProgressProps {
  readonly done: number;
  readonly of: number | null;
  /** Of what; for those who don't see it. */
  readonly label?: string;
}

/** Epochs, or others, done of those asked for, as a bar and in figures. */
export function Progress({ done, of, label = "Epochs" }: ProgressProps) {
  if (of === null) return <span class="muted">–</span>;
  return (
    <span class="progress">
      <progress value={done} max={Math.max(1, of)} aria-label={label} />
      <span>
        {done} / {of}
      </span>
    </span>
  );
}
