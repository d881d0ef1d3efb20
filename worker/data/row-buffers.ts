import type { RowFileSpec } from "../../shared/data/dataset-spec.js";
import type { MicroBatch } from "../engine/engine.js";

/** Room for some rows as an engine takes them; exactly one of `classes` and `values` is there. */
export interface RowBuffers {
  /** `[maxRows, features]` */
  readonly x: Float32Array;
  /** `[maxRows]` */
  readonly classes: Uint32Array | null;
  /** `[maxRows, targets]` */
  readonly values: Float32Array | null;
}

/** Bytes that {@link rowBuffers} needs. */
export function rowBuffersSizeBytes(file: RowFileSpec, maxRows: number): number {
  return maxRows * (file.features + file.targets) * 4;
}

/** Lays the buffers out in memory, which may be shared between threads. */
export function rowBuffers(memory: ArrayBufferLike, file: RowFileSpec, maxRows: number): RowBuffers {
  const x = new Float32Array(memory, 0, maxRows * file.features);
  const offset = x.byteLength;
  return file.targetType === "class"
    ? { x, classes: new Uint32Array(memory, offset, maxRows), values: null }
    : { x, classes: null, values: new Float32Array(memory, offset, maxRows * file.targets) };
}

/** The first `count` rows as a micro-batch: views, not copies. @throws RangeError when `count` is less than 1 */
export function microBatchOf(buffers: RowBuffers, file: RowFileSpec, count: number): MicroBatch {
  if (count < 1) throw new RangeError("a micro-batch has at least one row");
  const x = buffers.x.subarray(0, count * file.features);
  if (buffers.classes !== null)
    return { count, x, targets: { kind: "class", classes: buffers.classes.subarray(0, count) } };
  if (buffers.values === null) throw new RangeError("row buffers have room for neither classes nor values");
  return { count, x, targets: { kind: "values", values: buffers.values.subarray(0, count * file.targets) } };
}
