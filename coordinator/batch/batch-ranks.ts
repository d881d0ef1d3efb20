import { RingstrasseError } from "../../shared/failure.js";
import type { WorkerRange } from "../job/settle-workers.js";
import type { BatchRequest } from "../submit/batch-request.js";

/** What a batch job may take at most. */
export type BatchRoom = Pick<BatchRequest, "nodes" | "tasksPerNode">;

/**
 * As many ranks as a job allows and its room has, the same number on each of as few nodes as that takes. Pure; O(tasks of a node).
 * @throws RingstrasseError BATCH_REFUSED when the job needs more than there is room for, or a number that nodes can't share evenly
 */
export function batchRanks({ min, max }: WorkerRange, { nodes, tasksPerNode }: BatchRoom): BatchRoom {
  let best: BatchRoom | null = null;
  for (let tasks = tasksPerNode; tasks >= 1; tasks--) {
    const candidate = { nodes: Math.min(nodes, Math.floor(max / tasks)), tasksPerNode: tasks };
    if (ranksOf(candidate) >= min && (best === null || ranksOf(candidate) > ranksOf(best))) best = candidate;
  }
  if (best !== null) return best;
  const wanted = min === max ? `${min}` : `${min} to ${max}`;
  const problem = `the job is for ${wanted} workers, and its batch jobs may have ${nodes} × ${tasksPerNode}, the same number on each node`;
  const remedy =
    "Give minWorkers and maxWorkers in the document instead of workers, or serve with other --nodes and --tasks-per-node";
  throw new RingstrasseError({ code: "BATCH_REFUSED", option: "--nodes", problem, remedy });
}

function ranksOf({ nodes, tasksPerNode }: BatchRoom): number {
  return nodes * tasksPerNode;
}
