import type { ArenaLayout } from "../../shared/arena-layout.js";
import {
  type Activation,
  type DenseLayerSpec,
  type ModelSpec,
  type OptimizerSpec,
  outputsOf,
} from "../../shared/model-spec.js";
import type { MicroBatch } from "../../worker/engine/engine.js";

/**
 * A plain float64 network, written for tests only: no library, no code shared with the engines, formulas as in a textbook
 * (cross-entropy from probabilities, activations by their whole Jacobian). Slow, and good for moderate numbers only.
 */
export interface ReferenceSums {
  readonly lossSum: number;
  /** Gradient sums, one array per tensor, in the order of `parametersOf(model)`. */
  readonly gradients: Float64Array[];
  /** Activated outputs, row by row. */
  readonly outputs: number[][];
}

/** The tensors of an arena in float64, in the order of `parametersOf(model)`. */
export function tensorsOf(layout: ArenaLayout, arena: Float32Array): Float64Array[] {
  return layout.slots.map(({ offset, length }) => Float64Array.from(arena.subarray(offset, offset + length)));
}

/** ‖a − b‖ / ‖b‖, or ‖a‖ where b is zero. */
export function relativeDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new RangeError(`lengths ${a.length} and ${b.length}`);
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < a.length; i++) {
    difference += ((a[i] as number) - (b[i] as number)) ** 2;
    norm += (b[i] as number) ** 2;
  }
  return Math.sqrt(difference) / (norm === 0 ? 1 : Math.sqrt(norm));
}

/** Loss and gradient sums over the rows of `batch`. */
export function referenceGradients(model: ModelSpec, tensors: Float64Array[], batch: MicroBatch): ReferenceSums {
  const gradients = tensors.map((tensor) => new Float64Array(tensor.length));
  const outputs: number[][] = [];
  let lossSum = 0;
  for (let row = 0; row < batch.count; row++) {
    const activations = [Array.from(batch.x.subarray(row * model.inputs, (row + 1) * model.inputs), Number)];
    for (const [index, layer] of denseLayers(model).entries()) {
      const z = affine(activations[index]!, tensors[2 * index]!, tensors[2 * index + 1]!);
      activations.push(activation(layer.activation, z));
    }
    const output = activations.at(-1)!;
    outputs.push(output);
    const target = targetRow(model, batch, row);
    lossSum += loss(model, output, target);
    let gradient = lossGradient(model, output, target);
    for (let index = model.layers.length - 1; index >= 0; index--) {
      const layer = denseLayers(model)[index]!;
      const dz = throughJacobian(layer.activation, activations[index + 1]!, gradient);
      gradient = accumulate(activations[index]!, dz, tensors[2 * index]!, {
        kernel: gradients[2 * index]!,
        bias: gradients[2 * index + 1]!,
      });
    }
  }
  return { lossSum, gradients, outputs };
}

/** The layers of a network that has dense ones only. */
export function denseLayers({ layers }: ModelSpec): DenseLayerSpec[] {
  return layers.map((layer) => {
    if (layer.kind !== "dense") throw new TypeError(`layer ${layer.name} is ${layer.kind}`);
    return layer;
  });
}

function affine(x: number[], kernel: Float64Array, bias: Float64Array): number[] {
  const units = bias.length;
  return Array.from(bias, (start, unit) =>
    x.reduce((sum, value, input) => sum + value * kernel[input * units + unit]!, start),
  );
}

function activation(kind: Activation, z: number[]): number[] {
  if (kind === "linear") return z;
  if (kind === "relu") return z.map((value) => (value > 0 ? value : 0));
  if (kind === "tanh") return z.map((value) => Math.tanh(value));
  if (kind === "sigmoid") return z.map((value) => 1 / (1 + Math.exp(-value)));
  const total = z.reduce((sum, value) => sum + Math.exp(value), 0);
  return z.map((value) => Math.exp(value) / total);
}

/** Jᵀ·gradient with J[i][j] = ∂aᵢ/∂zⱼ. */
function throughJacobian(kind: Activation, a: number[], gradient: number[]): number[] {
  const slope = (i: number, j: number): number => {
    if (kind === "softmax") return a[i]! * ((i === j ? 1 : 0) - a[j]!);
    if (i !== j) return 0;
    if (kind === "relu") return a[i]! > 0 ? 1 : 0;
    if (kind === "tanh") return 1 - a[i]! ** 2;
    return kind === "sigmoid" ? a[i]! * (1 - a[i]!) : 1;
  };
  return a.map((_, j) => gradient.reduce((sum, value, i) => sum + value * slope(i, j), 0));
}

function targetRow(model: ModelSpec, { targets }: MicroBatch, row: number): number[] {
  const outputs = outputsOf(model);
  if (targets.kind === "values") return Array.from(targets.values.subarray(row * outputs, (row + 1) * outputs));
  const label = targets.classes[row]!;
  return outputs === 1 ? [label] : Array.from({ length: outputs }, (_, k) => (k === label ? 1 : 0));
}

function loss(model: ModelSpec, a: number[], t: number[]): number {
  const terms = a.map((value, k) => {
    if (model.loss === "softmaxCrossEntropy") return t[k] === 0 ? 0 : -t[k]! * Math.log(value);
    if (model.loss === "sigmoidCrossEntropy") return -Math.log(t[k] === 1 ? value : 1 - value);
    return model.loss === "meanSquaredError" ? (value - t[k]!) ** 2 : Math.abs(value - t[k]!);
  });
  const sum = terms.reduce((total, term) => total + term, 0);
  return model.loss === "softmaxCrossEntropy" ? sum : sum / a.length;
}

function lossGradient(model: ModelSpec, a: number[], t: number[]): number[] {
  return a.map((value, k) => {
    if (model.loss === "softmaxCrossEntropy") return -t[k]! / value;
    if (model.loss === "sigmoidCrossEntropy") return (t[k] === 1 ? -1 / value : 1 / (1 - value)) / a.length;
    return (model.loss === "meanSquaredError" ? 2 * (value - t[k]!) : Math.sign(value - t[k]!)) / a.length;
  });
}

/** Adds one row's parameter gradients; gives the gradient of the layer's input. */
function accumulate(
  x: number[],
  dz: number[],
  kernel: Float64Array,
  into: { kernel: Float64Array; bias: Float64Array },
): number[] {
  const units = dz.length;
  for (let unit = 0; unit < units; unit++) into.bias[unit]! += dz[unit]!;
  return x.map((value, input) => {
    let back = 0;
    for (let unit = 0; unit < units; unit++) {
      into.kernel[input * units + unit]! += value * dz[unit]!;
      back += kernel[input * units + unit]! * dz[unit]!;
    }
    return back;
  });
}

/** Updates tensors in place from *mean* gradients. */
export type ReferenceOptimizer = (tensors: Float64Array[], meanGradients: Float64Array[]) => void;

/** The optimizers in float64, from their papers' formulas. The result keeps state: one per training run. */
export function referenceOptimizer(spec: OptimizerSpec): ReferenceOptimizer {
  const first = new Map<number, Float64Array>();
  const second = new Map<number, Float64Array>();
  const state = (of: Map<number, Float64Array>, index: number, length: number, start = 0): Float64Array => {
    const found = of.get(index) ?? new Float64Array(length).fill(start);
    of.set(index, found);
    return found;
  };
  let step = 0;
  return (tensors, gradients) => {
    step++;
    for (const [index, tensor] of tensors.entries()) {
      const start = spec.kind === "adagrad" ? spec.initialAccumulator : 0;
      const m = state(first, index, tensor.length, start);
      const v = state(second, index, tensor.length);
      for (let i = 0; i < tensor.length; i++) {
        tensor[i] = updated(spec, { step, i, p: tensor[i]!, g: gradients[index]![i]!, m, v });
      }
    }
  };
}

interface ElementUpdate {
  step: number;
  i: number;
  p: number;
  g: number;
  m: Float64Array;
  v: Float64Array;
}

function updated(spec: OptimizerSpec, { step, i, p, g, m, v }: ElementUpdate): number {
  const lr = spec.learningRate;
  switch (spec.kind) {
    case "sgd":
      return p - lr * g;
    case "momentum":
      m[i] = spec.momentum * m[i]! + g;
      return p - lr * m[i]!;
    case "nesterov":
      m[i] = spec.momentum * m[i]! + g;
      return p - lr * (g + spec.momentum * m[i]!);
    case "adam":
    case "adamw": {
      m[i] = spec.beta1 * m[i]! + (1 - spec.beta1) * g;
      v[i] = spec.beta2 * v[i]! + (1 - spec.beta2) * g * g;
      const mean = m[i]! / (1 - spec.beta1 ** step);
      const variance = v[i]! / (1 - spec.beta2 ** step);
      const decayed = spec.kind === "adamw" ? p - lr * spec.weightDecay * p : p;
      return decayed - (lr * mean) / (Math.sqrt(variance) + spec.epsilon);
    }
    case "rmsprop":
      m[i] = spec.decay * m[i]! + (1 - spec.decay) * g * g;
      return p - (lr * g) / Math.sqrt(m[i]! + spec.epsilon);
    case "adagrad":
      m[i] = m[i]! + g * g;
      return p - (lr * g) / Math.sqrt(m[i]! + spec.epsilon);
  }
}
