/** How many step rows of a run are kept. */
export interface ThinningBounds {
  /** Rows that span the whole run, evenly spaced. */
  readonly history: number;
  /** Latest steps that are kept without gaps. */
  readonly recent: number;
}

/** About 1 MB per job. */
export const STEP_ROWS_KEPT: ThinningBounds = { history: 4096, recent: 1024 };

/**
 * The distance of the kept steps among 0 … `newestStep`: the smallest power of two at which no more than `history` remain. A pure
 * function of the newest step, so that nothing need be remembered; it only ever doubles, so that what was dropped is never missed.
 */
export function historyStride(newestStep: number, history: number): number {
  let stride = 1;
  while (Math.floor(newestStep / stride) + 1 > history) stride *= 2;
  return stride;
}

/**
 * Whether the row of `step` is kept once `newestStep` is known: it is one of the latest, or a multiple of the stride. At most
 * `history + recent` rows of any run are. A row that is not kept is not kept later either, so rows may be dropped as they age, in
 * whatever order they came.
 */
export function isStepKept(step: number, newestStep: number, bounds: ThinningBounds): boolean {
  return step > newestStep - bounds.recent || step % historyStride(newestStep, bounds.history) === 0;
}

/** Which steps (or epochs) of `first` … `last` a picture of at most `limit` rows shows: multiples of `stride`, and `last`. */
export interface DisplayPlan {
  readonly from: number;
  readonly stride: number;
}

/** The finest plan of {@link DisplayPlan} whose stride is a power of two; `limit` ≥ 1. */
export function planDisplay(first: number, last: number, limit: number): DisplayPlan {
  // 0 is a multiple of every stride: a single row can only be the latest.
  const from = limit === 1 ? last : first;
  let stride = 1;
  while (rowsAtStride(from, last, stride) > limit) stride *= 2;
  return { from, stride };
}

function rowsAtStride(first: number, last: number, stride: number): number {
  const multiples = Math.floor(last / stride) - Math.ceil(first / stride) + 1;
  return last % stride === 0 ? multiples : multiples + 1;
}
