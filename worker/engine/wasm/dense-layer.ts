import type { ArenaSlot } from "../../../shared/arena-layout.js";
import type { Activation } from "../../../shared/model-spec.js";
import { activate, activationGradient } from "./activation.js";
import type { BackwardPass, LayerRuntime } from "./layer-runtime.js";
import { type Tensor, Tensors } from "./tensors.js";
import type { TfjsBackend } from "./tfjs-backend.js";

interface Loaded {
  readonly kernel: Tensor;
  readonly bias: Tensor;
  /** Made by the first backward pass that needs it, used by the others on the same parameters. */
  kernelTransposed: Tensor | null;
}

/** y = activation(x · kernel + bias), every input connected to every unit. */
export class DenseLayer implements LayerRuntime {
  readonly #slots: { readonly kernel: ArenaSlot; readonly bias: ArenaSlot };
  readonly #activation: Activation;
  readonly #inputs: number;
  readonly #units: number;
  /** Outlive single computations. */
  readonly #parameters: Tensors;
  #loaded: Loaded | null = null;

  /** @param slots kernel `[inputs, units]` and bias `[units]` */
  constructor(
    tfjs: TfjsBackend,
    slots: { readonly kernel: ArenaSlot; readonly bias: ArenaSlot },
    activation: Activation,
  ) {
    const [inputs, units] = slots.kernel.shape;
    if (inputs === undefined || units === undefined) {
      throw new RangeError(
        `${slots.kernel.name} has shape [${slots.kernel.shape.join(", ")}], expected [inputs, units]`,
      );
    }
    this.#parameters = new Tensors(tfjs);
    this.#slots = slots;
    this.#activation = activation;
    this.#inputs = inputs;
    this.#units = units;
  }

  load(parameters: Float32Array): void {
    this.unload();
    const { kernel, bias } = this.#slots;
    this.#loaded = {
      kernel: this.#parameters.upload(slotOf(parameters, kernel), this.#inputs, this.#units),
      bias: this.#parameters.uploadBias(slotOf(parameters, bias)),
      kernelTransposed: null,
    };
  }

  forward(tensors: Tensors, input: Tensor): Tensor {
    const { kernel, bias } = this.#requireLoaded();
    return activate(tensors, this.#activation, tensors.matMul(input, kernel, bias));
  }

  backward(pass: BackwardPass, into: Float32Array): Tensor | null {
    const { tensors, input, output, outputGradient } = pass;
    const gradient = activationGradient(tensors, this.#activation, output, outputGradient);
    const ones = tensors.upload(new Float32Array(gradient.rows).fill(1), 1, gradient.rows);
    const kernelGradient = tensors.matMul(tensors.transpose(input), gradient);
    // A product with ones sums the rows; it is cheap, since the backend has `gradient` packed already.
    const biasGradient = tensors.matMul(ones, gradient);
    into.set(tensors.view(kernelGradient), this.#slots.kernel.offset);
    into.set(tensors.view(biasGradient), this.#slots.bias.offset);
    return pass.needsInputGradient ? tensors.matMul(gradient, this.#transposedKernel()) : null;
  }

  unload(): void {
    this.#parameters.free();
    this.#loaded = null;
  }

  #transposedKernel(): Tensor {
    const loaded = this.#requireLoaded();
    loaded.kernelTransposed ??= this.#parameters.transpose(loaded.kernel);
    return loaded.kernelTransposed;
  }

  #requireLoaded(): Loaded {
    if (this.#loaded === null) throw new TypeError(`${this.#slots.kernel.name} was used before parameters were loaded`);
    return this.#loaded;
  }
}

function slotOf(arena: Float32Array, { offset, length }: ArenaSlot): Float32Array {
  return arena.subarray(offset, offset + length);
}
