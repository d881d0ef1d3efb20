import { arcOf, stepSpan, stepsPerEpoch } from "../../shared/epoch-plan.js";
import type { JobSpec } from "../../shared/job-spec.js";
import type { TrainingPosition } from "../../shared/training-position.js";

/** What decides how many updates there are. */
export type UpdatingJob = Pick<JobSpec, "batchSize" | "replicas"> & {
  readonly dataset: { readonly train: { readonly rowCount: number } };
};

/** Updates that an asynchronous job on so many workers does in an epoch: one for each worker and step in which it has rows. Pure. */
export function updatesOfEpoch({ dataset, batchSize, replicas }: UpdatingJob, worldSize: number): number {
  const { rowCount } = dataset.train;
  const steps = stepsPerEpoch(rowCount, batchSize);
  const last = stepSpan(rowCount, batchSize, steps - 1);
  const firstReplicas = Array.from({ length: worldSize }, (_, rank) => arcOf(rank, worldSize, replicas).from);
  // The replicas that have rows come first.
  const pushing = (rows: number): number => firstReplicas.filter((replica) => replica < rows).length;
  return (steps - 1) * pushing(batchSize) + pushing(last.to - last.from);
}

/**
 * Updates before a position. Checkpoints of earlier versions don't say: as many as there were if they came from as many workers as there are
 * now. Pure.
 */
export function updatesBefore({ step, updates }: TrainingPosition, worldSize: number): number {
  return updates ?? step * worldSize;
}
