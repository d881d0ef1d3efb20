import { type ShapedLayer, type WindowAxis, windowAxis } from "../../../shared/layer-shape.js";
import type { PoolLayerSpec } from "../../../shared/model-spec.js";
import { imageShape } from "./convolution-layer.js";
import type { BackwardPass, ForwardPass, LayerRuntime } from "./layer-runtime.js";
import { PlainLayer } from "./plain-layer.js";
import type { Tensor } from "./tensors.js";

/** The largest value, or the mean, of each window; of a window over the edge, of the places inside. */
export class PoolLayer extends PlainLayer implements LayerRuntime {
  readonly #layer: PoolLayerSpec;
  readonly #input: readonly [number, number, number];
  readonly #outputs: number;
  readonly #down: WindowAxis;
  readonly #across: WindowAxis;

  constructor(layer: PoolLayerSpec, { input, output }: ShapedLayer) {
    super();
    this.#layer = layer;
    this.#input = imageShape(input);
    this.#outputs = output.reduce((product, size) => product * size, 1);
    const { window, stride, padding } = layer;
    this.#down = windowAxis(this.#input[0], window[0], stride[0], padding);
    this.#across = windowAxis(this.#input[1], window[1], stride[1], padding);
  }

  forward({ tensors, input }: ForwardPass): Tensor {
    const source = tensors.view(input);
    const pooled = new Float32Array(input.rows * this.#outputs);
    this.#eachWindow(input.rows, (place, at, window) => {
      pooled[place] =
        this.#layer.kind === "maxPool" ? (source[largestOf(source, at, window)] as number) : meanOf(source, at, window);
    });
    return tensors.upload(pooled, input.rows, this.#outputs);
  }

  /** The gradient goes to the first of the largest values, as in TensorFlow, or in equal parts to all places of the window. */
  backward({ tensors, input, outputGradient }: BackwardPass): Tensor {
    const source = tensors.view(input);
    const gradient = tensors.view(outputGradient);
    const spread = new Float32Array(input.rows * input.columns);
    this.#eachWindow(input.rows, (place, at, window) => {
      const dy = gradient[place] as number;
      if (this.#layer.kind === "maxPool") {
        const chosen = largestOf(source, at, window);
        spread[chosen] = (spread[chosen] as number) + dy;
        return;
      }
      const share = dy / (window.height * window.width);
      for (let i = 0; i < window.height; i++) {
        for (let j = 0; j < window.width; j++) {
          const index = at + i * window.rowStep + j * window.step;
          spread[index] = (spread[index] as number) + share;
        }
      }
    });
    return tensors.upload(spread, input.rows, input.columns);
  }

  /** Calls `visit` with each output's index, the index of its window's first input, and the window's extent. */
  #eachWindow(rows: number, visit: (place: number, at: number, window: Window) => void): void {
    const [height, width, channels] = this.#input;
    const { window, stride } = this.#layer;
    let place = 0;
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < this.#down.positions; i++) {
        const top = i * stride[0] - this.#down.before;
        const [fromRow, toRow] = [Math.max(0, top), Math.min(height, top + window[0])];
        for (let j = 0; j < this.#across.positions; j++) {
          const left = j * stride[1] - this.#across.before;
          const [fromColumn, toColumn] = [Math.max(0, left), Math.min(width, left + window[1])];
          const extent = {
            height: toRow - fromRow,
            width: toColumn - fromColumn,
            step: channels,
            rowStep: width * channels,
          };
          const first = ((row * height + fromRow) * width + fromColumn) * channels;
          for (let channel = 0; channel < channels; channel++) visit(place++, first + channel, extent);
        }
      }
    }
  }
}

/** Places inside the image, and the distances of neighbours across and down. */
interface Window {
  readonly height: number;
  readonly width: number;
  readonly step: number;
  readonly rowStep: number;
}

/** Index of the first largest value; of NaN, if there is any. */
function largestOf(source: Float32Array, at: number, { height, width, step, rowStep }: Window): number {
  let chosen = at;
  let largest = source[at] as number;
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const index = at + i * rowStep + j * step;
      const value = source[index] as number;
      if (value > largest || (Number.isNaN(value) && !Number.isNaN(largest))) {
        largest = value;
        chosen = index;
      }
    }
  }
  return chosen;
}

function meanOf(source: Float32Array, at: number, { height, width, step, rowStep }: Window): number {
  let sum = 0;
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) sum += source[at + i * rowStep + j * step] as number;
  }
  return sum / (height * width);
}
