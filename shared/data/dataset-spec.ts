import { z } from "zod";

/** How raw feature values of a row file become the float32 numbers that a network sees. Stored with the model. */
export const FeatureTransformSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("none") }),
  /** Images: byte ÷ divisor. */
  z.object({ kind: z.literal("scale"), divisor: z.number().positive() }),
  /** Tables: (x − mean) ÷ deviation per column, in float64, rounded once to float32; constant columns have deviation 1. */
  z.object({ kind: z.literal("standardise"), mean: z.array(z.number()), deviation: z.array(z.number()) }),
]);
export type FeatureTransform = z.infer<typeof FeatureTransformSchema>;

/**
 * A binary file of fixed-size rows, little-endian: `features` values of `featureType`, then the targets:
 * one uint32 class number, or `targets` float32 values. No header: this description is kept beside it.
 */
export const RowFileSpecSchema = z.object({
  path: z.string(),
  rowCount: z.number().int().nonnegative(),
  features: z.number().int().positive(),
  featureType: z.enum(["float32", "uint8"]),
  targetType: z.enum(["class", "float32"]),
  /** Target values per row; 1 for classes. */
  targets: z.number().int().positive(),
});
export type RowFileSpec = z.infer<typeof RowFileSpecSchema>;

export function rowSizeBytes(file: RowFileSpec): number {
  return file.features * (file.featureType === "uint8" ? 1 : 4) + file.targets * 4;
}

/** What a job trains on and is tested on, prepared. */
export const DatasetSpecSchema = z.object({
  train: RowFileSpecSchema,
  /** Absent when nothing was held out. */
  test: RowFileSpecSchema.nullable(),
  transform: FeatureTransformSchema,
  /** Class names by class number; null for real-valued targets. */
  classNames: z.array(z.string()).nullable(),
});
export type DatasetSpec = z.infer<typeof DatasetSpecSchema>;
