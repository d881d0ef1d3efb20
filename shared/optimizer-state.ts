import type { OptimizerKind } from "./model-spec.js";

/** State arenas of each optimizer, in the order of `stateSha256`. */
export const OPTIMIZER_STATE: Readonly<Record<OptimizerKind, readonly string[]>> = {
  sgd: [],
  momentum: ["velocity"],
  nesterov: ["velocity"],
  adam: ["mean", "variance"],
  adamw: ["mean", "variance"],
  rmsprop: ["squareAverage"],
  adagrad: ["accumulator"],
};
