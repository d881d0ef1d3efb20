import type { StatisticSlot } from "../../shared/arena-layout.js";

export interface StatisticsUpdate {
  readonly statistics: readonly StatisticSlot[];
  /** Arenas of parameters: the committed one, and the one that the running step writes. */
  readonly current: Float32Array;
  readonly next: Float32Array;
  /** The folded sums of all replicas: moments times rows. */
  readonly sums: Float32Array;
  /** Rows of the step. */
  readonly count: number;
}

/**
 * Moves running statistics towards a step's moments: momentum · old + (1 − momentum) · sum / rows, each operation rounded to
 * float32, so that all workers get the same bits. Padding is copied. O(statistics).
 */
export function updateStatistics({ statistics, current, next, sums, count }: StatisticsUpdate): void {
  const { fround } = Math;
  for (const [index, { offset, length, momentum }] of statistics.entries()) {
    const [kept, added] = [fround(momentum), fround(1 - momentum)];
    const end = statistics[index + 1]?.offset ?? next.length;
    for (let at = offset; at < offset + length; at++) {
      const moment = fround((sums[at] as number) / count);
      next[at] = fround(fround(kept * (current[at] as number)) + fround(added * moment));
    }
    next.set(current.subarray(offset + length, end), offset + length);
  }
}
