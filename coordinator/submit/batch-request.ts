import { RingstrasseError } from "../../shared/failure.js";
import type { BatchOptions } from "../cli/batch-options.js";

/** What a batch job asks its cluster for. */
export interface BatchRequest {
  readonly jobName: string;
  readonly nodes: number;
  readonly tasksPerNode: number;
  readonly cpusPerTask: number;
  /** One for each task; 0: none. */
  readonly gpusPerNode: number;
  /** Null: the cluster's default. */
  readonly partition: string | null;
  readonly account: string | null;
  /** As Slurm writes it; null: the partition's. */
  readonly time: string | null;
}

/**
 * What options ask for; a rank for each GPU. Pure.
 * @throws RingstrasseError USAGE for GPUs that no rank would use
 */
export function batchRequest(options: BatchOptions & { readonly threads?: number }, jobName: string): BatchRequest {
  const gpusPerNode = options["gpus-per-node"] ?? 0;
  const tasksPerNode = options["tasks-per-node"] ?? Math.max(1, gpusPerNode);
  if (gpusPerNode > 0 && tasksPerNode !== gpusPerNode) {
    const problem = `${tasksPerNode} ranks on each node for ${gpusPerNode} GPUs: each rank has one`;
    const remedy = `Leave it out, or give ${gpusPerNode}`;
    throw new RingstrasseError({ code: "USAGE", option: "--tasks-per-node", problem, remedy });
  }
  return {
    jobName,
    nodes: options.nodes ?? 1,
    tasksPerNode,
    cpusPerTask: options["cpus-per-task"] ?? options.threads ?? 1,
    gpusPerNode,
    partition: options.partition ?? null,
    account: options.account ?? null,
    time: options.time ?? null,
  };
}
