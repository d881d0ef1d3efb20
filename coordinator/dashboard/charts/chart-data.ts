import { type Bucket, meanOf, type ThinnedSeries } from "../stores/thinned-series.js";

/** Where the values of one drawn line come from. */
export interface LineSource {
  readonly series: ThinnedSeries;
  readonly channel: number;
  readonly take: "mean" | "min" | "max";
}

/** `[xs, line, line, …]`: undefined where a line has no point at that x (it is drawn through), null where nothing was measured. */
export type AlignedColumns = [number[], ...(number | null | undefined)[][]];

/**
 * Lines of several series on one axis of x: every bucket of each series is one point. Pure. Cost: O(buckets · lines).
 * @param positiveOnly for a logarithmic axis: other values count as not measured
 */
export function alignColumns(lines: readonly LineSource[], positiveOnly = false): AlignedColumns {
  const xs = [...new Set(lines.flatMap(({ series }) => series.buckets.map(({ x }) => x)))].sort((a, b) => a - b);
  const columns = lines.map((line) => {
    const byX = new Map(line.series.buckets.map((bucket) => [bucket.x, bucket]));
    return xs.map((x) => {
      const bucket = byX.get(x);
      if (bucket === undefined) return undefined;
      const value = pick(bucket, line);
      return positiveOnly && value !== null && value <= 0 ? null : value;
    });
  });
  return [xs, ...columns];
}

function pick(bucket: Bucket, { channel, take }: LineSource): number | null {
  if (take === "mean") return meanOf(bucket, channel);
  const found = bucket.channels[channel];
  return found === undefined || found.count === 0 ? null : found[take];
}
