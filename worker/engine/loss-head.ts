import { RingstrasseError } from "../../shared/failure.js";
import { type Activation, type DenseLayerSpec, type Loss, type ModelSpec, outputsOf } from "../../shared/model-spec.js";
import { unreachable } from "../../shared/unreachable.js";
import type { MicroBatch, StepSums } from "./engine.js";
import { activateRow, backpropagateRow } from "./row-activation.js";

/**
 * The last layer's activation, the loss and the metrics, from the last layer's weighted sums ("logits"). Pure, without any
 * library, float64 inside: the same for all engines, and the last layer is small. One call at a time (it has scratch rows).
 */
export class LossHead {
  readonly #loss: Loss;
  readonly #activation: Activation;
  readonly #outputs: number;
  readonly #logits: Float64Array;
  readonly #activated: Float64Array;
  readonly #targets: Float64Array;
  readonly #gradient: Float64Array;

  /** @throws RingstrasseError CHOICE_UNSUPPORTED when loss, last activation, targets and width don't go together. */
  constructor(model: ModelSpec) {
    const last = lastLayer(model);
    checkLossHead(model);
    this.#loss = model.loss;
    this.#activation = last.activation;
    this.#outputs = last.units;
    this.#logits = new Float64Array(last.units);
    this.#activated = new Float64Array(last.units);
    this.#targets = new Float64Array(last.units);
    this.#gradient = new Float64Array(last.units);
  }

  /**
   * Sums over all rows, in row order. NaN and infinities come through; a row with a NaN output is never correct.
   * @param logits `[count, outputs]`
   * @param gradient receives d(lossSum)/d(logits), `[count, outputs]`; null when it isn't needed.
   */
  evaluate(logits: Float32Array, batch: MicroBatch, gradient: Float32Array | null): StepSums {
    const outputs = this.#outputs;
    let lossSum = 0;
    let correct = 0;
    let absoluteErrorSum = 0;
    for (let row = 0; row < batch.count; row++) {
      this.#readLogits(logits, row);
      activateRow(this.#activation, this.#logits, this.#activated);
      const label = this.#readTargets(batch, row);
      lossSum += this.#rowLoss(label);
      if (label === null) absoluteErrorSum += this.#absoluteError();
      else if (this.#predictedClass() === label) correct++;
      if (gradient !== null) {
        this.#rowGradient();
        // Loops, here and below: setting or iterating typed arrays costs several times more on rows this short.
        for (let k = 0; k < outputs; k++) gradient[row * outputs + k] = this.#gradient[k] as number;
      }
    }
    return { lossSum, correct, absoluteErrorSum, count: batch.count };
  }

  /** Activated outputs of `count` rows, rounded to float32; a fresh array. */
  activate(logits: Float32Array, count: number): Float32Array {
    const activated = new Float32Array(count * this.#outputs);
    for (let row = 0; row < count; row++) {
      this.#readLogits(logits, row);
      activateRow(this.#activation, this.#logits, this.#activated);
      activated.set(this.#activated, row * this.#outputs);
    }
    return activated;
  }

  #readLogits(logits: Float32Array, row: number): void {
    const outputs = this.#outputs;
    for (let k = 0; k < outputs; k++) this.#logits[k] = logits[row * outputs + k] as number;
  }

  /** Fills the target row; gives the class, null for real-valued targets. */
  #readTargets({ targets }: MicroBatch, row: number): number | null {
    const outputs = this.#outputs;
    if (targets.kind === "values") {
      for (let k = 0; k < outputs; k++) this.#targets[k] = targets.values[row * outputs + k] as number;
      return null;
    }
    const label = targets.classes[row];
    if (label === undefined || label >= Math.max(outputs, 2)) {
      throw new RangeError(`row ${row} of the micro-batch has class ${label}, the network has ${outputs} outputs`);
    }
    if (outputs === 1) {
      this.#targets[0] = label;
    } else {
      for (let k = 0; k < outputs; k++) this.#targets[k] = k === label ? 1 : 0;
    }
    return label;
  }

  #rowLoss(label: number | null): number {
    switch (this.#loss) {
      case "softmaxCrossEntropy":
        return logSumExp(this.#logits) - (this.#logits[label ?? -1] ?? Number.NaN);
      case "sigmoidCrossEntropy":
        return this.#meanOfOutputs((k) => {
          const logit = this.#logits[k] as number;
          return softplus(this.#targets[k] === 1 ? -logit : logit);
        });
      case "meanSquaredError":
        return this.#meanOfOutputs((k) => this.#error(k) ** 2);
      case "meanAbsoluteError":
        return this.#absoluteError();
      default:
        return unreachable(this.#loss);
    }
  }

  #rowGradient(): void {
    const outputs = this.#outputs;
    switch (this.#loss) {
      case "softmaxCrossEntropy":
        for (let k = 0; k < outputs; k++) this.#gradient[k] = this.#error(k);
        return;
      case "sigmoidCrossEntropy":
        for (let k = 0; k < outputs; k++) this.#gradient[k] = this.#error(k) / outputs;
        return;
      case "meanSquaredError":
        for (let k = 0; k < outputs; k++) this.#gradient[k] = (2 * this.#error(k)) / outputs;
        break;
      case "meanAbsoluteError":
        for (let k = 0; k < outputs; k++) this.#gradient[k] = Math.sign(this.#error(k)) / outputs;
        break;
      default:
        unreachable(this.#loss);
    }
    backpropagateRow(this.#activation, this.#activated, this.#gradient);
  }

  #error(k: number): number {
    return (this.#activated[k] as number) - (this.#targets[k] as number);
  }

  #absoluteError(): number {
    return this.#meanOfOutputs((k) => Math.abs(this.#error(k)));
  }

  #meanOfOutputs(term: (output: number) => number): number {
    let sum = 0;
    for (let k = 0; k < this.#outputs; k++) sum += term(k);
    return sum / this.#outputs;
  }

  /** By the float32 outputs that `activate` gives, so that metrics agree with predictions to the last row. */
  #predictedClass(): number | null {
    let best = 0;
    let largest = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < this.#outputs; k++) {
      const value = Math.fround(this.#activated[k] as number);
      if (Number.isNaN(value)) return null;
      if (value > largest) {
        best = k;
        largest = value;
      }
    }
    if (this.#outputs === 1) return largest > 0.5 ? 1 : 0;
    return best;
  }
}

/** log Σ exp z without overflow; NaN when any z is NaN or +∞. */
function logSumExp(z: Float64Array): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < z.length; k++) largest = Math.max(largest, z[k] as number);
  let sum = 0;
  for (let k = 0; k < z.length; k++) sum += Math.exp((z[k] as number) - largest);
  return largest + Math.log(sum);
}

/** log(1 + eˣ) without overflow. */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

function lastLayer(model: ModelSpec): DenseLayerSpec {
  const last = model.layers.at(-1);
  if (last?.kind !== "dense") throw new RangeError("the last layer of a model is dense");
  return last;
}

/** @throws RingstrasseError CHOICE_UNSUPPORTED when loss, last activation, targets and width don't go together. */
export function checkLossHead(model: ModelSpec): void {
  const { activation } = lastLayer(model);
  const { loss, targets } = model;
  const outputs = outputsOf(model);
  const refuse = (value: string, remedy: string): never => {
    throw new RingstrasseError({ code: "CHOICE_UNSUPPORTED", option: "loss", value, supported: [], remedy });
  };
  if (targets.kind === "values" && targets.outputs !== outputs) {
    refuse(
      `${loss} of ${outputs} outputs and ${targets.outputs} targets`,
      `Give the last layer ${targets.outputs} units`,
    );
  }
  const binary = targets.kind === "class" && targets.classes === 2 && outputs === 1 && activation !== "softmax";
  if (targets.kind === "class" && targets.classes !== outputs && !binary) {
    refuse(
      `${loss} of ${outputs} outputs and ${targets.classes} classes`,
      `Give the last layer ${targets.classes} units`,
    );
  }
  if (loss !== "softmaxCrossEntropy" && loss !== "sigmoidCrossEntropy") return;
  if (targets.kind !== "class") refuse(`${loss} of real-valued targets`, "Use meanSquaredError or meanAbsoluteError");
  const matching = loss === "softmaxCrossEntropy" ? "softmax" : "sigmoid";
  if (activation !== matching) {
    refuse(`${loss} after activation ${activation}`, `Give the last layer the activation ${matching}`);
  }
}
