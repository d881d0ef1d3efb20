import type { ArenaSlot } from "../../../shared/arena-layout.js";
import type { Activation } from "../../../shared/model-spec.js";
import { activate, activationGradient } from "./activation.js";
import { addL2Gradient, l2Penalty } from "./l2-penalty.js";
import type { BackwardPass, ForwardPass, LayerRuntime } from "./layer-runtime.js";
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
  readonly #l2: number;
  readonly #inputs: number;
  readonly #units: number;
  /** Outlive single computations. */
  readonly #parameters: Tensors;
  #loaded: Loaded | null = null;

  /** @param slots kernel `[inputs, units]` and bias `[units]` */
  constructor(
    tfjs: TfjsBackend,
    slots: { readonly kernel: ArenaSlot; readonly bias: ArenaSlot },
    { activation, l2 = 0 }: { readonly activation: Activation; readonly l2?: number | undefined },
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
    this.#l2 = l2;
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

  forward({ tensors, input }: ForwardPass): Tensor {
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
    addL2Gradient(into, this.#slots.kernel, this.#kernel(), 2 * this.#l2 * gradient.rows);
    return pass.needsInputGradient ? tensors.matMul(gradient, this.#transposedKernel()) : null;
  }

  penalty(): number {
    return l2Penalty(this.#l2, this.#kernel());
  }

  unload(): void {
    this.#parameters.free();
    this.#loaded = null;
  }

  #kernel(): () => Float32Array {
    const { kernel } = this.#requireLoaded();
    return () => this.#parameters.view(kernel);
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
