import type { StepPosition } from "../engine.js";
import type { Tensor, Tensors } from "./tensors.js";

/** What a layer's forward pass gets. */
export interface ForwardPass {
  readonly tensors: Tensors;
  /** `[rows, inputs]` */
  readonly input: Tensor;
  /** Null: this is not training. */
  readonly training: StepPosition | null;
}

/** What a layer's backward pass gets. Tensors belong to `tensors` and live as long as the whole computation. */
export interface BackwardPass {
  readonly tensors: Tensors;
  /** The layer's input and output, as in the forward pass. */
  readonly input: Tensor;
  readonly output: Tensor;
  /** Gradient of the loss sum with respect to the output. */
  readonly outputGradient: Tensor;
  /** False for the first layer: nobody needs the gradient of the rows themselves. */
  readonly needsInputGradient: boolean;
}

/**
 * One layer of a network on the wasm backend. The engine calls `load`, then any number of forward passes, each followed by at
 * most one backward pass; one call at a time.
 */
export interface LayerRuntime {
  /** Takes this layer's parameters out of an arena (copies). */
  load(parameters: Float32Array): void;
  /** Gives `[rows, outputs]`; the result belongs to the pass's tensors, or is its input. */
  forward(pass: ForwardPass): Tensor;
  /**
   * Writes the gradients of this layer's parameters into their slots of `into` and gives that of the input, null when it isn't
   * needed.
   */
  backward(pass: BackwardPass, into: Float32Array): Tensor | null;
  /** What the layer adds to the loss of every row; 0 for most. */
  penalty(): number;
  /** Frees the loaded parameters. */
  unload(): void;
}
