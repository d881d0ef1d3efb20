/** Rows [from, to) of an epoch's permuted order. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Steps in one epoch: every row once, the last step takes what is left. */
export function stepsPerEpoch(rowCount: number, batchSize: number): number {
  return Math.ceil(rowCount / batchSize);
}

/** Positions of step `step` (0-based in its epoch) in the epoch's order. */
export function stepSpan(rowCount: number, batchSize: number, step: number): Span {
  return { from: Math.min(step * batchSize, rowCount), to: Math.min((step + 1) * batchSize, rowCount) };
}

/** Rows of step `step`, counted from 1 since the start of the job: the first one of each epoch is a full one. */
export function rowsOfStep(rowCount: number, batchSize: number, step: number): number {
  const { from, to } = stepSpan(rowCount, batchSize, (step - 1) % stepsPerEpoch(rowCount, batchSize));
  return to - from;
}

/**
 * The contiguous slice of `span` that replica `replica` of `replicas` computes: slices differ by at most one row, the
 * longer ones first; empty where there are more replicas than rows.
 */
export function replicaSpan(span: Span, replica: number, replicas: number): Span {
  const rows = span.to - span.from;
  const base = Math.floor(rows / replicas);
  const longer = rows % replicas;
  const from = span.from + replica * base + Math.min(replica, longer);
  return { from, to: from + base + (replica < longer ? 1 : 0) };
}

/** One micro-batch of a step, and how many there are. */
export interface MicroBatchPlace {
  readonly replica: number;
  readonly replicas: number;
  /** 0 … accumulate − 1 */
  readonly accumulation: number;
  /** K: parts of each replica's slice. */
  readonly accumulate: number;
}

/** The contiguous rows of a micro-batch: a K-th of the replica's slice, cut by the rule that cuts steps into slices. */
export function microBatchSpan(step: Span, place: MicroBatchPlace): Span {
  const slice = replicaSpan(step, place.replica, place.replicas);
  return replicaSpan(slice, place.accumulation, place.accumulate);
}

/** A worker's contiguous replicas [from, to): R replicas over N workers, the longer arcs first. N ≤ R. */
export function arcOf(rank: number, workers: number, replicas: number): Span {
  return replicaSpan({ from: 0, to: replicas }, rank, workers);
}
