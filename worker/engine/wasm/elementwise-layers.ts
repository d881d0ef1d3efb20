import type { Activation } from "../../../shared/model-spec.js";
import type { DropoutMasks } from "../dropout-masks.js";
import { activate, activationGradient } from "./activation.js";
import type { BackwardPass, ForwardPass, LayerRuntime } from "./layer-runtime.js";
import { PlainLayer } from "./plain-layer.js";
import type { Tensor } from "./tensors.js";

/** Rows are flat here anyway: nothing to do. */
export class FlattenLayer extends PlainLayer implements LayerRuntime {
  forward({ input }: ForwardPass): Tensor {
    return input;
  }

  backward({ outputGradient }: BackwardPass): Tensor {
    return outputGradient;
  }
}

/** An activation of its own, over the last axis of a row's shape where it is one over several values. */
export class ActivationLayer extends PlainLayer implements LayerRuntime {
  readonly #activation: Activation;
  readonly #channels: number;

  constructor(activation: Activation, channels: number) {
    super();
    this.#activation = activation;
    this.#channels = channels;
  }

  forward({ tensors, input }: ForwardPass): Tensor {
    const places = tensors.reshape(input, (input.rows * input.columns) / this.#channels);
    return tensors.reshape(activate(tensors, this.#activation, places), input.rows);
  }

  backward({ tensors, output, outputGradient }: BackwardPass): Tensor {
    const places = (output.rows * output.columns) / this.#channels;
    const [y, dy] = [tensors.reshape(output, places), tensors.reshape(outputGradient, places)];
    return tensors.reshape(activationGradient(tensors, this.#activation, y, dy), output.rows);
  }
}

/** Zeroes some inputs in training. */
export class DropoutLayer extends PlainLayer implements LayerRuntime {
  readonly #masks: DropoutMasks;
  readonly #index: number;
  /** Of the last forward pass; null when it dropped nothing. */
  #mask: Tensor | null = null;

  /** @param index of the layer in its model */
  constructor(masks: DropoutMasks, index: number) {
    super();
    this.#masks = masks;
    this.#index = index;
  }

  forward({ tensors, input, training }: ForwardPass): Tensor {
    this.#mask = null;
    if (training === null) return input;
    const mask = this.#masks.maskOf(this.#index, training, input.rows);
    this.#mask = tensors.upload(mask, input.rows, input.columns);
    return tensors.multiply(input, this.#mask);
  }

  backward({ tensors, outputGradient }: BackwardPass): Tensor {
    return this.#mask === null ? outputGradient : tensors.multiply(outputGradient, this.#mask);
  }
}
