import type { FeatureTransform } from "./dataset-spec.js";

/** Raw values of one row or several, as they lie in a row file. */
export type RawFeatures = Float32Array | Uint8Array;

/**
 * Turns `rows` rows of raw values into what a network sees. Writes `[rows, features]` floats from `offset` of `into` on.
 * @param raw `[rows, features]`; may be longer. May be the same memory as `into` at the same place.
 */
export type ApplyTransform = (raw: RawFeatures, rows: number, into: Float32Array, offset: number) => void;

/**
 * The one place where features are transformed, so that training and `predict` see the same bits. Computed in float64 and rounded
 * once to float32. Pure.
 * @throws RangeError when the transform was made for another number of features
 */
export function featureTransform(transform: FeatureTransform, features: number): ApplyTransform {
  switch (transform.kind) {
    case "none":
      return (raw, rows, into, offset) => into.set(raw.subarray(0, rows * features), offset);
    case "scale": {
      const { divisor } = transform;
      return (raw, rows, into, offset) => {
        const length = rows * features;
        for (let index = 0; index < length; index++) into[offset + index] = (raw[index] as number) / divisor;
      };
    }
    case "standardise":
      return standardise(transform.mean, transform.deviation, features);
  }
}

function standardise(mean: readonly number[], deviation: readonly number[], features: number): ApplyTransform {
  if (mean.length !== features || deviation.length !== features) {
    throw new RangeError(`${mean.length} means and ${deviation.length} deviations for ${features} features`);
  }
  const means = Float64Array.from(mean);
  const deviations = Float64Array.from(deviation);
  return (raw, rows, into, offset) => {
    for (let row = 0; row < rows; row++) {
      const start = row * features;
      for (let column = 0; column < features; column++) {
        const value = raw[start + column] as number;
        into[offset + start + column] = (value - (means[column] as number)) / (deviations[column] as number);
      }
    }
  };
}
