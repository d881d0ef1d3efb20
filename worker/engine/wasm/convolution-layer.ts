import type { ArenaSlot } from "../../../shared/arena-layout.js";
import { type ShapedLayer, type WindowAxis, windowAxis } from "../../../shared/layer-shape.js";
import type { Conv2dLayerSpec } from "../../../shared/model-spec.js";
import { activate, activationGradient } from "./activation.js";
import { addL2Gradient, l2Penalty } from "./l2-penalty.js";
import type { BackwardPass, ForwardPass, LayerRuntime } from "./layer-runtime.js";
import { type Shape4, type Shaped, type Tensor, Tensors } from "./tensors.js";
import type { TfjsBackend } from "./tfjs-backend.js";

interface Loaded {
  readonly kernel: Tensor;
  readonly bias: Tensor;
  /** Made by the first backward pass that needs it, used by the others on the same parameters. */
  turned: Tensor | null;
}

const ONCE = [1, 1] as const;

/**
 * Convolution of images. tfjs has no gradient of the kernel for this backend, and one of the input that is slow: both are composed of
 * forward convolutions. The kernel's is the convolution of the input, channels taken for images, with the output's gradient, images taken for
 * channels; the input's is that of the gradient, spread out by the stride, with the kernel turned by 180°.
 */
export class ConvolutionLayer implements LayerRuntime {
  readonly #slots: { readonly kernel: ArenaSlot; readonly bias: ArenaSlot };
  readonly #layer: Conv2dLayerSpec;
  /** `[height, width, channels]` of an input, `[height, width, filters]` of an output. */
  readonly #input: readonly [number, number, number];
  readonly #output: readonly [number, number, number];
  readonly #down: WindowAxis;
  readonly #across: WindowAxis;
  /** Outlive single computations. */
  readonly #parameters: Tensors;
  #loaded: Loaded | null = null;

  constructor(
    tfjs: TfjsBackend,
    slots: { readonly kernel: ArenaSlot; readonly bias: ArenaSlot },
    layer: Conv2dLayerSpec,
    { input, output }: ShapedLayer,
  ) {
    this.#parameters = new Tensors(tfjs);
    this.#slots = slots;
    this.#layer = layer;
    this.#input = imageShape(input);
    this.#output = imageShape(output);
    const { kernel, stride, padding } = layer;
    this.#down = windowAxis(this.#input[0], kernel[0], stride[0], padding);
    this.#across = windowAxis(this.#input[1], kernel[1], stride[1], padding);
  }

  load(parameters: Float32Array): void {
    this.unload();
    const { kernel, bias } = this.#slots;
    const [height, width] = this.#layer.kernel;
    const values = parameters.subarray(kernel.offset, kernel.offset + kernel.length);
    this.#loaded = {
      kernel: this.#parameters.upload(values, height * width, kernel.length / (height * width)),
      bias: this.#parameters.uploadBias(parameters.subarray(bias.offset, bias.offset + bias.length)),
      turned: null,
    };
  }

  forward({ tensors, input }: ForwardPass): Tensor {
    const { kernel, bias } = this.#requireLoaded();
    const { stride, activation } = this.#layer;
    const image = { tensor: input, shape: [input.rows, ...this.#input] as const };
    const { x, padding } = this.#skipsEdges()
      ? ({ x: this.#padded(tensors, image), padding: "valid" } as const)
      : { x: image, padding: this.#layer.padding };
    const convolution = { x, kernel: this.#shaped(kernel), bias, stride, padding, dilation: ONCE };
    const places = tensors.reshape(tensors.convolve(convolution), input.rows * this.#output[0] * this.#output[1]);
    return tensors.reshape(activate(tensors, activation, places), input.rows);
  }

  backward(
    { tensors, input, output, outputGradient, needsInputGradient }: BackwardPass,
    into: Float32Array,
  ): Tensor | null {
    const { activation, l2 = 0 } = this.#layer;
    const rows = input.rows;
    const places = rows * this.#output[0] * this.#output[1];
    const [y, dy] = [tensors.reshape(output, places), tensors.reshape(outputGradient, places)];
    const gradient = activationGradient(tensors, activation, y, dy);
    const ones = tensors.upload(new Float32Array(places).fill(1), 1, places);
    into.set(tensors.view(tensors.matMul(ones, gradient)), this.#slots.bias.offset);
    const images = { tensor: gradient, shape: [rows, ...this.#output] as const };
    into.set(tensors.view(this.#kernelGradient(tensors, input, images)), this.#slots.kernel.offset);
    addL2Gradient(into, this.#slots.kernel, this.#kernel(), 2 * l2 * rows);
    return needsInputGradient ? this.#inputGradient(tensors, images) : null;
  }

  penalty(): number {
    return l2Penalty(this.#layer.l2 ?? 0, this.#kernel());
  }

  unload(): void {
    this.#parameters.free();
    this.#loaded = null;
  }

  #kernelGradient(tensors: Tensors, input: Tensor, gradient: Shaped): Tensor {
    const [height, width] = this.#layer.kernel;
    const x = tensors.permute({ tensor: input, shape: [input.rows, ...this.#input] }, [3, 1, 2, 0]);
    const padded = this.#padded(tensors, x);
    const kernel = tensors.permute(gradient, [1, 2, 0, 3]);
    // The stride of the forward pass is the distance at which the gradient's places meet the input.
    const convolution = { x: padded, kernel, stride: ONCE, padding: "valid", dilation: this.#layer.stride } as const;
    const found = tensors.convolve(convolution);
    const [channels, , , filters] = [padded.shape[0], 0, 0, this.#output[2]];
    const [across, down] = [
      padded.shape[2] - (this.#across.positions - 1) * this.#layer.stride[1],
      padded.shape[1] - (this.#down.positions - 1) * this.#layer.stride[0],
    ];
    const all: Shaped = { tensor: found, shape: [channels, down, across, filters] };
    const fits = down === height && across === width;
    const cropped = fits ? all : tensors.crop(all, [channels, height, width, filters]);
    return tensors.permute(cropped, [1, 2, 0, 3]).tensor;
  }

  /**
   * Whether the last window ends before the image does. With padding `same`, XNNPACK then takes what is left for a negative padding and shifts
   * all windows.
   */
  #skipsEdges(): boolean {
    const { kernel, stride, padding } = this.#layer;
    return (
      padding === "same" &&
      [this.#down, this.#across].some(
        ({ positions }, axis) => (positions - 1) * (stride[axis] ?? 1) + (kernel[axis] ?? 1) < (this.#input[axis] ?? 1),
      )
    );
  }

  /** The zeros around, along the second and the third axis. */
  #padded(tensors: Tensors, x: Shaped): Shaped {
    const [down, across] = [this.#down, this.#across];
    if (down.before + down.after + across.before + across.after === 0) return x;
    return tensors.pad(x, [
      [0, 0],
      [down.before, down.after],
      [across.before, across.after],
      [0, 0],
    ]);
  }

  #inputGradient(tensors: Tensors, gradient: Shaped): Tensor {
    const [height, width] = this.#layer.kernel;
    const [, , channels] = this.#input;
    const filters = this.#output[2];
    const spread = this.#spread(tensors, gradient);
    const kernel: Shaped = { tensor: this.#turnedKernel(), shape: [height, width, filters, channels] };
    return tensors.convolve({ x: spread, kernel, stride: ONCE, padding: "valid", dilation: ONCE });
  }

  /** The gradient with zeros between its places and around them, so that a plain convolution gives the input's size. */
  #spread(tensors: Tensors, { tensor, shape }: Shaped): Shaped {
    const [rows, down, across, filters] = shape;
    const [kernelHeight, kernelWidth] = this.#layer.kernel;
    const [strideDown, strideAcross] = this.#layer.stride;
    const height = this.#input[0] + kernelHeight - 1;
    const width = this.#input[1] + kernelWidth - 1;
    const top = kernelHeight - 1 - this.#down.before;
    const left = kernelWidth - 1 - this.#across.before;
    const values = new Float32Array(rows * height * width * filters);
    const source = tensors.view(tensor);
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < down; i++) {
        for (let j = 0; j < across; j++) {
          const from = ((row * down + i) * across + j) * filters;
          const to = ((row * height + top + i * strideDown) * width + left + j * strideAcross) * filters;
          for (let filter = 0; filter < filters; filter++) values[to + filter] = source[from + filter] as number;
        }
      }
    }
    return { tensor: tensors.upload(values, rows, height * width * filters), shape: [rows, height, width, filters] };
  }

  /** `[height, width, filters, channels]`, last place first. */
  #turnedKernel(): Tensor {
    const loaded = this.#requireLoaded();
    if (loaded.turned !== null) return loaded.turned;
    const places = this.#layer.kernel[0] * this.#layer.kernel[1];
    const [channels, filters] = [this.#input[2], this.#output[2]];
    const source = this.#parameters.view(loaded.kernel);
    const turned = new Float32Array(source.length);
    for (let place = 0; place < places; place++) {
      for (let channel = 0; channel < channels; channel++) {
        for (let filter = 0; filter < filters; filter++) {
          const value = source[(place * channels + channel) * filters + filter] as number;
          turned[((places - 1 - place) * filters + filter) * channels + channel] = value;
        }
      }
    }
    loaded.turned = this.#parameters.upload(turned, places, filters * channels);
    return loaded.turned;
  }

  #shaped(kernel: Tensor): Shaped {
    const [height, width] = this.#layer.kernel;
    const shape: Shape4 = [height, width, this.#input[2], this.#output[2]];
    return { tensor: kernel, shape };
  }

  #kernel(): () => Float32Array {
    const { kernel } = this.#requireLoaded();
    return () => this.#parameters.view(kernel);
  }

  #requireLoaded(): Loaded {
    if (this.#loaded === null) throw new TypeError(`${this.#slots.kernel.name} was used before parameters were loaded`);
    return this.#loaded;
  }
}

/** @throws RangeError for rows that are no images: a model's schema refuses them. */
export function imageShape(shape: readonly number[]): readonly [number, number, number] {
  const [height, width, channels] = shape;
  if (height === undefined || width === undefined || channels === undefined) {
    throw new RangeError(`[${shape.join(", ")}] is not the shape of an image`);
  }
  return [height, width, channels];
}
