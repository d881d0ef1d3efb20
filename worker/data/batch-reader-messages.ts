import type { FeatureTransform, RowFileSpec } from "../../shared/data/dataset-spec.js";
import type { Failure } from "../../shared/failure.js";

/** What a batch-reader thread is started with. */
export interface ReaderStart {
  readonly file: RowFileSpec;
  readonly transform: FeatureTransform;
  /** Shared memory of each slot, laid out by `rowBuffers`. */
  readonly slots: readonly SharedArrayBuffer[];
  readonly maxRows: number;
}

/** Main thread → reader. Read requests are answered in the order they come. */
export type ToReader =
  | { readonly kind: "read"; readonly slot: number; readonly rows: Uint32Array }
  | { readonly kind: "close" };

/** Reader → main thread: the answer to one read request. */
export type FromReader = { readonly kind: "filled" } | { readonly kind: "failed"; readonly failure: Failure };
