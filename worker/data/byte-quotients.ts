import type { FeatureTransform } from "../../shared/data/dataset-spec.js";
import { featureTransform } from "../../shared/data/feature-transform.js";

export const BYTE_VALUES = 256;

/** What each value of a byte becomes: with a table, no feature of an image has to be divided. `[256]`, the bits of {@link featureTransform}. */
export function quotientsOfBytes(transform: FeatureTransform & { readonly kind: "scale" }): Float32Array {
  const table = new Float32Array(BYTE_VALUES);
  featureTransform(transform, BYTE_VALUES)(Uint8Array.from(table.keys()), 1, table, 0);
  return table;
}
