import { useState } from "preact/hooks";
import type { JobSummary } from "../../../shared/api/job-summary.js";
import type { Connection } from "../api/follow-events.js";
import type { JobController } from "../controllers/job-controller.js";
import { formatAge } from "../stores/format.js";
import { JOB_BUTTONS, type JobButton } from "../stores/job-actions.js";
import type { CommandState } from "../stores/job-store.js";
import { hashOf } from "../stores/route.js";
import { ConfirmDialog } from "./confirm-dialog.js";
import { CopyableId } from "./copyable-id.js";
import { ProblemNote } from "./problem-note.js";
import { StatusBadge } from "./status-badge.js";
import { useNow } from "./use-now.js";

export interface JobHeaderProps {
  readonly job: JobSummary;
  readonly connection: Connection;
  readonly command: CommandState;
  /** There is no such job any more: nothing can be done with it. */
  readonly isGone: boolean;
  readonly controller: JobController;
}

const AGE_INTERVAL_MS = 5_000;

/** Name, status, and what can be done with the job. */
export function JobHeader({ job, connection, command, isGone, controller }: JobHeaderProps) {
  const [asked, setAsked] = useState<JobButton | null>(null);
  const nowMs = useNow(AGE_INTERVAL_MS);
  const perform = async ({ name }: JobButton) => {
    setAsked(null);
    const done = await controller.perform(name);
    if (done && name === "delete") window.location.hash = hashOf({ page: "jobs", status: null });
  };
  const buttons = isGone ? [] : JOB_BUTTONS[job.status];
  const pressed = (button: JobButton) => (button.question === null ? void perform(button) : setAsked(button));
  return (
    <div class="job-header">
      <div class="heading">
        <h1>{job.name === "" ? "(no name)" : job.name}</h1>
        <StatusBadge status={job.status} />
        <ConnectionMark connection={connection} />
        <div class="buttons">
          {buttons.map((button) => (
            <button
              key={button.name}
              type="button"
              class={classOf(button)}
              disabled={command.kind === "running"}
              onClick={() => pressed(button)}
            >
              {button.label}
            </button>
          ))}
        </div>
      </div>
      <p class="facts">
        <CopyableId value={job.id} what="the job's id" />
        <span>attempt {job.attempt}</span>
        <span>priority {job.priority}</span>
        <span title={new Date(job.createdAt).toLocaleString()}>
          created {formatAge(Date.parse(job.createdAt), nowMs)}
        </span>
      </p>
      {command.kind === "refused" ? (
        <ProblemNote problem={command.problem} title={`The coordinator refused to ${inWords(command.name)}.`} />
      ) : null}
      {asked?.question ? (
        <ConfirmDialog
          question={asked.question}
          yes={asked.yes}
          confirmed={() => void perform(asked)}
          dismissed={() => setAsked(null)}
        />
      ) : null}
    </div>
  );
}

function inWords(name: string): string {
  return name === "anew" ? "begin this job anew" : `${name} this job`;
}

function classOf({ name }: JobButton): string {
  return name === "train" || name === "retrain" ? "primary" : "danger-outline";
}

/** Whether what is shown is up to date. */
function ConnectionMark({ connection }: { readonly connection: Connection }) {
  switch (connection.kind) {
    case "live":
      return (
        <span class="connection live" role="status">
          live
        </span>
      );
    case "lost":
      return (
        <span class="connection lost" role="status" title={connection.problem.message}>
          connection lost, trying again
        </span>
      );
    case "ended":
      return (
        <span class="connection lost" role="status">
          no longer followed
        </span>
      );
    default:
      return (
        <span class="connection" role="status">
          connecting
        </span>
      );
  }
}
