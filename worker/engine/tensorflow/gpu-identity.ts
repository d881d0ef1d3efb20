import type { GpuArithmetic } from "../../config/native-environment.js";

export interface GpuFacts extends GpuArithmetic {
  /** As `gpuModels` gives them. */
  readonly models: readonly string[];
  /** Of CUDA_VISIBLE_DEVICES. */
  readonly device: string | undefined;
}

/**
 * What the bits of a GPU's results follow from, beside the library: workers that differ in it don't train together. A host with several kinds
 * of GPUs doesn't tell which one a process has got, so there the device's number belongs to it. Pure.
 */
export function gpuIdentity({ models, device, isRepeatable, usesTf32 }: GpuFacts): string {
  const kind = models.length === 0 ? "GPU of an unknown kind" : models.join(" or ");
  const which = models.length > 1 ? [`device ${device ?? "of any number"}`] : [];
  const arithmetic = [usesTf32 ? "TF32" : "float32", ...(isRepeatable ? [] : ["not repeatable"])];
  return [kind, ...which, ...arithmetic].join(", ");
}
