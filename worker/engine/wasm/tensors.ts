import type { TensorInfo } from "@tensorflow/tfjs-core";
import { RingstrasseError } from "../../../shared/failure.js";
import type { TfjsBackend } from "./tfjs-backend.js";

/** A float32 matrix in the backend's memory. */
export interface Tensor {
  readonly info: TensorInfo;
  readonly rows: number;
  readonly columns: number;
}

export type Shape4 = readonly [number, number, number, number];

/** A matrix's floats seen in four dimensions. */
export interface Shaped {
  readonly tensor: Tensor;
  readonly shape: Shape4;
}

export interface Convolution {
  readonly x: Shaped;
  readonly kernel: Shaped;
  /** From `uploadBias`. */
  readonly bias?: Tensor;
  readonly stride: readonly [number, number];
  readonly padding: "same" | "valid";
  readonly dilation: readonly [number, number];
}

/**
 * Matrices made together and freed together. Results belong to this object, never to the caller. One thread.
 * @throws RingstrasseError ENGINE_UNAVAILABLE from whatever makes a matrix, when the backend's 4 GiB are full.
 * XNNPACK keeps packed copies of right-hand matrices and biases by tensor identity, so a tensor's contents never change.
 */
export class Tensors {
  readonly #tfjs: TfjsBackend;
  readonly #owned: TensorInfo[] = [];

  constructor(tfjs: TfjsBackend) {
    this.#tfjs = tfjs;
  }

  /** Copies `rows · columns` floats in; `values` may lie in shared memory. */
  upload(values: Float32Array, rows: number, columns: number): Tensor {
    if (values.length < rows * columns) {
      throw new RangeError(`${values.length} floats are no ${rows} rows of ${columns}`);
    }
    const shape = [rows, columns];
    const dataId = this.#tfjs.backend.write(values, shape, "float32");
    return this.#own({ dataId, shape, dtype: "float32" }, rows, columns);
  }

  /** A row of `values.length` floats for `matMul` to add; the backend wants it registered without a second dimension. */
  uploadBias(values: Float32Array): Tensor {
    const shape = [values.length];
    const dataId = this.#tfjs.backend.write(values, shape, "float32");
    return this.#own({ dataId, shape, dtype: "float32" }, 1, values.length);
  }

  /** The floats themselves, row-major; valid until the next operation, which may move the backend's memory. */
  view(tensor: Tensor): Float32Array {
    const floats = this.#tfjs.backend.typedArrayFromHeap(tensor.info);
    if (!(floats instanceof Float32Array)) throw new TypeError("tensor is not float32");
    return floats;
  }

  /**
   * a · b (+ bias, added to every row). `bias: [1, b.columns]`, from `uploadBias`. Transposed operands must be materialised first: the
   * backend's own transposing product is ten times slower.
   */
  matMul(a: Tensor, b: Tensor, bias?: Tensor): Tensor {
    const inputs = { a: reshaped(a, [1, a.rows, a.columns]), b: reshaped(b, [1, b.rows, b.columns]) };
    const attrs = { transposeA: false, transposeB: false, activation: "linear" };
    const all = bias === undefined ? inputs : { ...inputs, bias: reshaped(bias, [bias.columns]) };
    return this.#own(this.#tfjs.run("_FusedMatMul", all, attrs), a.rows, b.columns);
  }

  transpose(x: Tensor): Tensor {
    return this.#own(this.#tfjs.run("Transpose", { x: x.info }, { perm: [1, 0] }), x.columns, x.rows);
  }

  relu(x: Tensor): Tensor {
    return this.#own(this.#tfjs.run("Relu", { x: x.info }), x.rows, x.columns);
  }

  /** 1 where x > 0, 0 where not, NaN stays NaN. */
  step(x: Tensor): Tensor {
    return this.#own(this.#tfjs.run("Step", { x: x.info }, { alpha: 0 }), x.rows, x.columns);
  }

  tanh(x: Tensor): Tensor {
    return this.#own(this.#tfjs.run("Tanh", { x: x.info }), x.rows, x.columns);
  }

  sigmoid(x: Tensor): Tensor {
    return this.#own(this.#tfjs.run("Sigmoid", { x: x.info }), x.rows, x.columns);
  }

  /** Softmax of every row. */
  softmax(x: Tensor): Tensor {
    return this.#own(this.#tfjs.run("Softmax", { logits: x.info }, { dim: 1 }), x.rows, x.columns);
  }

  /** Elementwise; `b` may have one row or one column, then it is repeated. */
  multiply(a: Tensor, b: Tensor): Tensor {
    return this.#own(this.#tfjs.run("Multiply", { a: a.info, b: b.info }), a.rows, a.columns);
  }

  /** a − b, elementwise, repeated as in `multiply`. */
  subtract(a: Tensor, b: Tensor): Tensor {
    return this.#own(this.#tfjs.run("Sub", { a: a.info, b: b.info }), a.rows, a.columns);
  }

  /** a + b, elementwise. */
  add(a: Tensor, b: Tensor): Tensor {
    return this.#own(this.#tfjs.run("Add", { a: a.info, b: b.info }), a.rows, a.columns);
  }

  /** Sum of every row: `[rows, 1]`. */
  sumOfRows(x: Tensor): Tensor {
    return this.#own(this.#tfjs.run("Sum", { x: x.info }, { axis: [1], keepDims: true }), x.rows, 1);
  }

  /** The same floats in another number of rows; no copy. */
  reshape(x: Tensor, rows: number): Tensor {
    const columns = (x.rows * x.columns) / rows;
    return { info: { ...x.info, shape: [rows, columns] }, rows, columns };
  }

  /**
   * Cross-correlation of `x: [n, height, width, channels]` with `kernel: [height, width, channels, filters]`, and `bias` added.
   * @returns a row per image
   */
  convolve({ x, kernel, bias, stride, padding, dilation }: Convolution): Tensor {
    const inputs = { x: reshaped(x.tensor, [...x.shape]), filter: reshaped(kernel.tensor, [...kernel.shape]) };
    const all = bias === undefined ? inputs : { ...inputs, bias: reshaped(bias, [bias.columns]) };
    const attrs = {
      strides: [...stride],
      pad: padding,
      dilations: [...dilation],
      dataFormat: "NHWC",
      activation: "linear",
    };
    const info = this.#tfjs.run("FusedConv2D", all, attrs);
    return this.#own(
      info,
      x.shape[0],
      info.shape.slice(1).reduce((product, size) => product * size, 1),
    );
  }

  /** The axes of a four-dimensional tensor in another order. */
  permute({ tensor, shape }: Shaped, order: readonly number[]): Shaped {
    const info = this.#tfjs.run("Transpose", { x: reshaped(tensor, [...shape]) }, { perm: [...order] });
    return this.#shaped(info);
  }

  /** Zeros around: per axis how many before and after. */
  pad({ tensor, shape }: Shaped, paddings: [number, number][]): Shaped {
    const attrs = { paddings, constantValue: 0 };
    return this.#shaped(this.#tfjs.run("PadV2", { x: reshaped(tensor, [...shape]) }, attrs));
  }

  /** The first `size` elements along each axis. */
  crop({ tensor, shape }: Shaped, size: readonly number[]): Shaped {
    const attrs = { begin: size.map(() => 0), size: [...size] };
    return this.#shaped(this.#tfjs.run("Slice", { x: reshaped(tensor, [...shape]) }, attrs));
  }

  /** Frees everything made here. */
  free(): void {
    for (const { dataId } of this.#owned) this.#tfjs.backend.disposeData(dataId);
    this.#owned.length = 0;
  }

  #shaped(info: TensorInfo): Shaped {
    const [first = 1, second = 1, third = 1, fourth = 1] = info.shape;
    return { tensor: this.#own(info, first, second * third * fourth), shape: [first, second, third, fourth] };
  }

  #own(info: TensorInfo, rows: number, columns: number): Tensor {
    this.#owned.push(info);
    // The backend takes address 0, which is what a failed allocation gives, for a good one and writes there.
    if (this.#tfjs.backend.getMemoryOffset(info.dataId) === 0) {
      throw new RingstrasseError({
        code: "ENGINE_UNAVAILABLE",
        engine: "wasm",
        problem: `no memory is left for a matrix of ${rows} rows and ${columns} columns`,
        remedy: "Use a smaller batch or more replicas, so that each computes fewer rows, or a smaller model",
      });
    }
    return { info: { dataId: info.dataId, dtype: info.dtype, shape: [rows, columns] }, rows, columns };
  }
}

function reshaped({ info }: Tensor, shape: number[]): TensorInfo {
  return { dataId: info.dataId, dtype: info.dtype, shape };
}
