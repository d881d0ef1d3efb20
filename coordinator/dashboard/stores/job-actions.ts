import type { JobStatus } from "../../../shared/api/job-status.js";

export type JobActionName = "train" | "retrain" | "cancel" | "delete";

/** A button of a job. */
export interface JobButton {
  readonly name: JobActionName;
  readonly label: string;
  /** What to ask before it is done; null: nothing is lost by it. */
  readonly question: string | null;
}

const TRAIN: JobButton = { name: "train", label: "Train", question: null };
const RETRAIN: JobButton = { name: "retrain", label: "Retrain", question: null };
const CANCEL: JobButton = {
  name: "cancel",
  label: "Cancel",
  question: "Cancel this job? Its workers stop; what it has learned so far is lost.",
};
const DELETE: JobButton = {
  name: "delete",
  label: "Delete",
  question: "Delete this job? Its document, metrics and results can't be brought back.",
};

/** What can be done with a job in each status: a waiting or running one must be cancelled before it can be deleted. Pure. */
export const JOB_BUTTONS: Readonly<Record<JobStatus, readonly JobButton[]>> = {
  CREATED: [TRAIN, DELETE],
  QUEUED: [CANCEL],
  INPROGRESS: [CANCEL],
  FINISHED: [RETRAIN, DELETE],
  ERROR: [RETRAIN, DELETE],
};
