import type { Cluster, ClusterWorker } from "../../../shared/api/cluster.js";
import type { ApiProblem } from "../api/api-error.js";

export interface ClusterState {
  /** Null until the first answer. */
  readonly cluster: Cluster | null;
  /** Of the latest reading; what was known stays. */
  readonly problem: ApiProblem | null;
}

export type ClusterAction =
  | { readonly kind: "loaded"; readonly cluster: Cluster }
  | { readonly kind: "failed"; readonly problem: ApiProblem };

export const NO_CLUSTER: ClusterState = { cluster: null, problem: null };

/** Pure. */
export function reduceCluster(state: ClusterState, action: ClusterAction): ClusterState {
  return action.kind === "loaded" ? { cluster: action.cluster, problem: null } : { ...state, problem: action.problem };
}

/** One job's ring as the cluster knows it. */
export interface ClusterRing {
  readonly jobId: string;
  /** By rank. */
  readonly workers: readonly (ClusterWorker & { readonly rank: number })[];
}

/** Pure. The rings that are at work, by job id. */
export function ringsOf(workers: readonly ClusterWorker[]): ClusterRing[] {
  const rings = new Map<string, (ClusterWorker & { rank: number })[]>();
  for (const worker of workers) {
    const { jobId, rank } = worker;
    if (jobId === null || rank === null) continue;
    const ring = rings.get(jobId) ?? [];
    ring.push({ ...worker, rank });
    rings.set(jobId, ring);
  }
  return [...rings]
    .map(([jobId, members]) => ({ jobId, workers: members.sort((left, right) => left.rank - right.rank) }))
    .sort((left, right) => (left.jobId < right.jobId ? -1 : 1));
}
