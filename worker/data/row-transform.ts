import type { FeatureTransform, RowFileSpec } from "../../shared/data/dataset-spec.js";
import { type ApplyTransform, featureTransform } from "../../shared/data/feature-transform.js";
import { compileKernels, instantiateKernels } from "../kernels/load-kernels.js";
import { BYTE_VALUES, quotientsOfBytes } from "./byte-quotients.js";

const PAGE_BYTES = 65536;
const FLOAT_BYTES = Float32Array.BYTES_PER_ELEMENT;
/** What the kernel takes at once. */
const KERNEL_STRIDE = 4;

/**
 * {@link featureTransform} for the rows of a file: the same bits, and several times as fast for bytes, each of whose 256 values is
 * transformed once: dividing every feature would take longer than all else that reading a batch of images takes.
 * @throws RingstrasseError ENGINE_UNAVAILABLE when there are no kernels
 */
export async function rowTransform(transform: FeatureTransform, file: RowFileSpec): Promise<ApplyTransform> {
  const { features, featureType } = file;
  if (transform.kind !== "scale" || featureType !== "uint8") return featureTransform(transform, features);
  const padded = Math.ceil(features / KERNEL_STRIDE) * KERNEL_STRIDE;
  const pages = Math.ceil(((BYTE_VALUES + padded) * FLOAT_BYTES + padded) / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const kernels = instantiateKernels(await compileKernels(), memory);
  const table = new Float32Array(memory.buffer, 0, BYTE_VALUES);
  const quotients = new Float32Array(memory.buffer, table.byteLength, features);
  const row = new Uint8Array(memory.buffer, table.byteLength + padded * FLOAT_BYTES, features);
  table.set(quotientsOfBytes(transform));
  return (raw, rows, into, offset) => {
    for (let index = 0; index < rows; index++) {
      row.set(raw.length === features ? raw : raw.subarray(index * features, (index + 1) * features));
      kernels.lookUpBytes(quotients.byteOffset, row.byteOffset, table.byteOffset, padded);
      into.set(quotients, offset + index * features);
    }
  };
}
