/**
 * The terms of a block's fold `((g_s + g_{s+1}) + …)`, numbered 0 … R − 1: term t is replica (s + t) mod R, where s = block mod R. Pure.
 */
export interface FoldPlace {
  readonly block: number;
  /** R */
  readonly replicas: number;
}

/** The replica that is a block's term `term`. */
export function replicaOfTerm({ block, replicas }: FoldPlace, term: number): number {
  return (block + term) % replicas;
}

/** Which term of a block's fold a replica is. */
export function termOfReplica({ block, replicas }: FoldPlace, replica: number): number {
  return (replica - (block % replicas) + replicas) % replicas;
}
