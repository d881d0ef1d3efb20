import type { FeatureTransform, RowFileSpec } from "../../shared/data/dataset-spec.js";
import { type ApplyTransform, featureTransform } from "../../shared/data/feature-transform.js";
import { compileKernels, instantiateKernels } from "../kernels/load-kernels.js";

const PAGE_BYTES = 65536;
/** What the kernel takes at once. */
const VECTOR_LENGTH = 4;

/**
 * {@link featureTransform} for the rows of a file, one at a time: the same bits, and several times as fast for bytes, whose division would
 * otherwise take longer than all else that reading a batch of images takes.
 * @throws RingstrasseError ENGINE_UNAVAILABLE when there are no kernels
 */
export async function rowTransform(transform: FeatureTransform, file: RowFileSpec): Promise<ApplyTransform> {
  const { features, featureType } = file;
  if (transform.kind !== "scale" || featureType !== "uint8") return featureTransform(transform, features);
  const padded = Math.ceil(features / VECTOR_LENGTH) * VECTOR_LENGTH;
  const bytes = padded * (1 + Float32Array.BYTES_PER_ELEMENT);
  const pages = Math.ceil(bytes / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const kernels = instantiateKernels(await compileKernels(), memory);
  const quotients = new Float32Array(memory.buffer, 0, features);
  const row = new Uint8Array(memory.buffer, padded * Float32Array.BYTES_PER_ELEMENT, features);
  return (raw, rows, into, offset) => {
    for (let index = 0; index < rows; index++) {
      row.set(raw.subarray(index * features, (index + 1) * features));
      kernels.scaleBytes(quotients.byteOffset, row.byteOffset, padded, transform.divisor);
      into.set(quotients, offset + index * features);
    }
  };
}
