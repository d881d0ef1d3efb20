import type { StepEvent } from "../../../shared/train-events.js";

/** A worker of the ring in the last step, and over the last few. */
export interface WorkerPace {
  readonly rank: number;
  readonly replicas: readonly number[];
  readonly rows: number;
  readonly computeMs: number;
  readonly communicationMs: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Steps seen with these replicas. */
  readonly steps: number;
  /** Smoothed computing time of a step. */
  readonly meanComputeMs: number;
  /** The others wait for it. */
  readonly slow: boolean;
}

/** Part of the newest value in the smoothed one: about the last ten steps count. */
const NEWEST = 0.1;
/** A worker this much above the median is told as slow. */
const SLOW_FACTOR = 1.25;
/** Below this, differences between workers are noise of the clock. */
const SHORTEST_MS = 1;

/** Pure. By rank; a worker whose replicas changed starts anew. */
export function nextPace(previous: readonly WorkerPace[], event: StepEvent): WorkerPace[] {
  const before = new Map(previous.map((pace) => [pace.rank, pace]));
  const paces = event.workers.map((worker) => {
    const known = before.get(worker.rank);
    const same = known !== undefined && known.replicas.join() === worker.replicas.join() ? known : null;
    // A worker's first step holds the preparations of its engine: the second takes its place.
    if (same === null || same.steps === 1)
      return { ...worker, steps: (same?.steps ?? 0) + 1, meanComputeMs: worker.computeMs };
    const newest = Math.max(NEWEST, 1 / same.steps);
    const meanComputeMs = same.meanComputeMs + newest * (worker.computeMs - same.meanComputeMs);
    return { ...worker, steps: same.steps + 1, meanComputeMs };
  });
  const limitMs = SLOW_FACTOR * Math.max(SHORTEST_MS, median(paces.map(({ meanComputeMs }) => meanComputeMs)));
  return paces.map((pace) => ({ ...pace, slow: pace.steps > 1 && paces.length > 1 && pace.meanComputeMs > limitMs }));
}

/** The lower one of two in the middle: of two workers, the slower can then be told. */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}
