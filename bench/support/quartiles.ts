/** A quarter, half and three quarters of the values are not above: `[lower, median, upper]`. */
export type Quartiles = readonly [number, number, number];

/** Between two values in proportion, as most statistics programs do (type 7 of Hyndman and Fan, 1996). @throws RangeError for no values */
export function quartiles(values: readonly number[]): Quartiles {
  if (values.length === 0) throw new RangeError("there are no quartiles of no values");
  const sorted = values.toSorted((a, b) => a - b);
  return [at(sorted, 0.25), at(sorted, 0.5), at(sorted, 0.75)];
}

function at(sorted: readonly number[], part: number): number {
  const place = part * (sorted.length - 1);
  const [lower, upper] = [sorted[Math.floor(place)] ?? Number.NaN, sorted[Math.ceil(place)] ?? Number.NaN];
  return lower + (upper - lower) * (place - Math.floor(place));
}
