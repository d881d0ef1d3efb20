import type { JobStatus } from "../../../shared/api/job-status.js";

export type JobActionName = "train" | "retrain" | "anew" | "cancel" | "delete";

/** A button of a job. */
export interface JobButton {
  readonly name: JobActionName;
  readonly label: string;
  /** What to ask before it is done; null: nothing is lost by it. */
  readonly question: string | null;
  /** What the button that answers it says. */
  readonly yes: string;
}

const TRAIN: JobButton = { name: "train", label: "Train", question: null, yes: "Train" };
const RETRAIN: JobButton = { name: "retrain", label: "Retrain", question: null, yes: "Retrain" };
const ANEW: JobButton = {
  name: "anew",
  label: "Begin anew",
  question: "Begin this job anew? It forgets its last saved state, which Retrain goes on from.",
  yes: "Begin job anew",
};
const CANCEL: JobButton = {
  name: "cancel",
  label: "Cancel",
  question: "Cancel this job? Its workers stop. Queued again, it goes on from its last saved state, if there is one.",
  yes: "Cancel job",
};
const DELETE: JobButton = {
  name: "delete",
  label: "Delete",
  question: "Delete this job? Its document, metrics and results can't be brought back.",
  yes: "Delete job",
};

/** What can be done with a job in each status: a waiting or running one must be cancelled before it can be deleted. Pure. */
export const JOB_BUTTONS: Readonly<Record<JobStatus, readonly JobButton[]>> = {
  CREATED: [TRAIN, DELETE],
  QUEUED: [CANCEL],
  INPROGRESS: [CANCEL],
  FINISHED: [RETRAIN, DELETE],
  ERROR: [RETRAIN, ANEW, DELETE],
};
