import { replicaSpan, stepSpan, stepsPerEpoch } from "../../shared/epoch-plan.js";
import type { JobSpec } from "../../shared/job-spec.js";

/**
 * Updates of a replica's own optimizer in the first `steps` steps of a job: those for which it has rows, which the short last step of an
 * epoch may not have for all. Pure; O(1).
 */
export function updatesOfReplica(
  { dataset, batchSize, replicas }: Pick<JobSpec, "dataset" | "batchSize" | "replicas">,
  replica: number,
  steps: number,
): number {
  const { rowCount } = dataset.train;
  const perEpoch = stepsPerEpoch(rowCount, batchSize);
  const updatesIn = (step: number): number => {
    const { from, to } = replicaSpan(stepSpan(rowCount, batchSize, step), replica, replicas);
    return to > from ? 1 : 0;
  };
  const ofFull = perEpoch === 1 ? 0 : updatesIn(0);
  const ofEpoch = (perEpoch - 1) * ofFull + updatesIn(perEpoch - 1);
  return Math.floor(steps / perEpoch) * ofEpoch + (steps % perEpoch) * ofFull;
}
