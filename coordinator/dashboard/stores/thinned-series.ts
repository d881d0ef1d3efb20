/** What is known of one figure within one bucket. */
export interface Channel {
  readonly sum: number;
  /** Values in `sum`; 0: the figure was null throughout. */
  readonly count: number;
  readonly min: number;
  readonly max: number;
}

/** All samples whose x lies in one stretch of the axis. */
export interface Bucket {
  /** Whole number: floor(x / stride). */
  readonly index: number;
  /** x of the last sample in it. */
  readonly x: number;
  readonly channels: readonly Channel[];
}

/**
 * A curve of any length in a bounded number of buckets. When they run out, the stretch that a bucket covers doubles and pairs are
 * merged. Buckets lie at multiples of the stride, so the result depends on the samples only, not on how they arrived in batches.
 */
export interface ThinnedSeries {
  readonly capacity: number;
  /** Power of two, in units of x. */
  readonly stride: number;
  readonly buckets: readonly Bucket[];
}

export interface Sample {
  /** Not negative; rises strictly from sample to sample. */
  readonly x: number;
  /** One value per channel; null: not measured. */
  readonly values: readonly (number | null)[];
}

/** @param capacity most buckets kept, at least 2 */
export function emptySeries(capacity: number): ThinnedSeries {
  return { capacity, stride: 1, buckets: [] };
}

/** x of the last sample; null before the first. */
export function lastX(series: ThinnedSeries): number | null {
  return series.buckets.at(-1)?.x ?? null;
}

/**
 * `series` with `samples` behind it; samples that do not lie behind the last one are left out, so that a stretch may be told twice.
 * Costs O(buckets + samples) per call: call it with batches.
 */
export function extendSeries(series: ThinnedSeries, samples: readonly Sample[]): ThinnedSeries {
  const { capacity } = series;
  let { stride } = series;
  let buckets = [...series.buckets];
  let last = lastX(series) ?? Number.NEGATIVE_INFINITY;
  for (const { x, values } of samples) {
    if (x <= last) continue;
    last = x;
    append(buckets, { index: Math.floor(x / stride), x, channels: values.map(channelOf) });
    while (buckets.length > capacity) {
      stride *= 2;
      buckets = halve(buckets);
    }
  }
  return { capacity, stride, buckets };
}

/** `series` up to `last`, without buckets that hold a sample behind it. */
export function seriesUpTo(series: ThinnedSeries, last: number): ThinnedSeries {
  return { ...series, buckets: series.buckets.filter(({ x }) => x <= last) };
}

/** Mean of a channel in a bucket; null where nothing was measured. */
export function meanOf(bucket: Bucket, channel: number): number | null {
  const found = bucket.channels[channel];
  return found === undefined || found.count === 0 ? null : found.sum / found.count;
}

function channelOf(value: number | null): Channel {
  if (value === null) return { sum: 0, count: 0, min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };
  return { sum: value, count: 1, min: value, max: value };
}

function append(buckets: Bucket[], bucket: Bucket): void {
  const last = buckets.at(-1);
  if (last?.index === bucket.index) buckets[buckets.length - 1] = merge(last, bucket);
  else buckets.push(bucket);
}

function halve(buckets: readonly Bucket[]): Bucket[] {
  const halved: Bucket[] = [];
  for (const bucket of buckets) append(halved, { ...bucket, index: Math.floor(bucket.index / 2) });
  return halved;
}

function merge(left: Bucket, right: Bucket): Bucket {
  const channels = left.channels.map((channel, index) => {
    const other = right.channels[index];
    if (other === undefined) return channel;
    return {
      sum: channel.sum + other.sum,
      count: channel.count + other.count,
      min: Math.min(channel.min, other.min),
      max: Math.max(channel.max, other.max),
    };
  });
  return { index: right.index, x: right.x, channels };
}
