import { rowsOfStep } from "../../shared/epoch-plan.js";
import type { JobSpec } from "../../shared/job-spec.js";

/** What the gradient sums of a step stand for. */
export interface StepWeight {
  /** That gradients are multiplied by when they are added to those that have not been sent yet. */
  readonly weight: number;
  /** Rows that the exchanged sums are divided by. */
  readonly rows: number;
}

/**
 * With top-k, sums of several steps come together in one: in an epoch's short last step a gradient of a full one must not weigh more than in
 * its own. So all are kept as sums over a full step's rows: those of a short step are scaled up to it, and the mean is always over a full one's.
 * Else it is the mean over the rows of the step. A function of the job and the step alone, and without any effect in full steps. Pure.
 * @param step counts from 1 since the start of the job
 */
export function stepWeight(spec: Pick<JobSpec, "batchSize" | "dataset" | "stepRules">, step: number): StepWeight {
  const { rowCount } = spec.dataset.train;
  const rows = rowsOfStep(rowCount, spec.batchSize, step);
  if (spec.stepRules.payload.format !== "topk") return { weight: 1, rows };
  const fullRows = rowsOfStep(rowCount, spec.batchSize, 1);
  return { weight: fullRows / rows, rows: fullRows };
}
