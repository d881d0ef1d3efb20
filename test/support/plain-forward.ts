import type { ModelToWrite } from "../../shared/model-file/write-model.js";
import type { Activation } from "../../shared/model-spec.js";
import { denseLayers } from "./reference-mlp.js";

/** The network's activated outputs for one row, written out in float64: what model files must mean. */
export function plainForward({ facts, weights }: ModelToWrite, row: readonly number[]): number[] {
  const bytes = Buffer.from(weights.buffer, weights.byteOffset, weights.byteLength);
  let at = 0;
  const next = () => bytes.readFloatLE(4 * at++);
  let values = [...row];
  for (const { units, activation } of denseLayers(facts.model)) {
    const kernel = values.map(() => Array.from({ length: units }, next));
    const bias = Array.from({ length: units }, next);
    const sums = bias.map((start, unit) =>
      values.reduce((sum, value, input) => sum + value * (kernel[input]?.[unit] ?? Number.NaN), start),
    );
    values = activate(activation, sums);
  }
  return values;
}

function activate(activation: Activation, sums: number[]): number[] {
  if (activation === "softmax") {
    const total = sums.reduce((sum, value) => sum + Math.exp(value), 0);
    return sums.map((value) => Math.exp(value) / total);
  }
  const functions = {
    linear: (value: number) => value,
    sigmoid: (value: number) => 1 / (1 + Math.exp(-value)),
    tanh: Math.tanh,
    relu: (value: number) => Math.max(0, value),
  };
  return sums.map(functions[activation]);
}
