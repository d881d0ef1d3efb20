import type { Activation } from "../../../shared/model-spec.js";
import { unreachable } from "../../../shared/unreachable.js";
import type { Tensor, Tensors } from "./tensors.js";

/**
 * The activation of hidden layers. Relu is not fused into the matrix product, although the backend could: XNNPACK's clamp turns
 * NaN into 0 there, and a diverged network must show.
 */
export function activate(tensors: Tensors, activation: Activation, x: Tensor): Tensor {
  switch (activation) {
    case "linear":
      return x;
    case "relu":
      return tensors.relu(x);
    case "tanh":
      return tensors.tanh(x);
    case "sigmoid":
      return tensors.sigmoid(x);
    case "softmax":
      return tensors.softmax(x);
    default:
      return unreachable(activation);
  }
}

/** Gradient with respect to the activation's input, from its output y and the gradient dy with respect to that. */
export function activationGradient(tensors: Tensors, activation: Activation, y: Tensor, dy: Tensor): Tensor {
  switch (activation) {
    case "linear":
      return dy;
    case "relu":
      return tensors.multiply(dy, tensors.step(y));
    case "tanh": {
      // dy·(1 − y²) as dy − (dy·y)·y: no tensor of ones.
      const scaled = tensors.multiply(tensors.multiply(dy, y), y);
      return tensors.subtract(dy, scaled);
    }
    case "sigmoid": {
      const scaled = tensors.multiply(dy, y);
      return tensors.subtract(scaled, tensors.multiply(scaled, y));
    }
    case "softmax": {
      const mean = tensors.sumOfRows(tensors.multiply(dy, y));
      return tensors.multiply(tensors.subtract(dy, mean), y);
    }
    default:
      return unreachable(activation);
  }
}
