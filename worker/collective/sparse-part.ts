/** What one replica contributes to an exchange in which only a part of its gradients travels. Lengths of one job are all alike. */
export interface SparseShape {
  /** Float64 values of the scalar block. */
  readonly scalarCount: number;
  /** Elements of the trainable arena that are sent, with their places. */
  readonly count: number;
  /** Floats behind the trainable arena, sent as they are: moments of running statistics. */
  readonly statistics: number;
}

/** Views of one replica's contribution, in place. */
export interface SparsePart {
  readonly scalars: Float64Array;
  /** Ascending. */
  readonly indices: Uint32Array;
  /** Of the elements at these places. */
  readonly values: Float32Array;
  readonly statistics: Float32Array;
}

/** Bytes of one replica's contribution. */
export function sparsePartBytes({ scalarCount, count, statistics }: SparseShape): number {
  return 8 * Math.ceil((8 * scalarCount + 8 * count + 4 * statistics) / 8);
}

/**
 * Scalars, then places, then values, then statistics; little-endian, each contribution a multiple of 8 bytes long.
 * @param bytes at a multiple of 8 in its buffer
 * @param at which contribution of those that follow each other there
 */
export function viewSparsePart(bytes: Uint8Array, shape: SparseShape, at: number): SparsePart {
  const { scalarCount, count, statistics } = shape;
  const { buffer } = bytes;
  const from = bytes.byteOffset + at * sparsePartBytes(shape);
  const indices = from + 8 * scalarCount;
  const values = indices + 4 * count;
  return {
    scalars: new Float64Array(buffer, from, scalarCount),
    indices: new Uint32Array(buffer, indices, count),
    values: new Float32Array(buffer, values, count),
    statistics: new Float32Array(buffer, values + 4 * count, statistics),
  };
}
