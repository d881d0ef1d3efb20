import type { ArenaSlot } from "../../../shared/arena-layout.js";
import type { BackwardPass, ForwardPass, LayerRuntime } from "./layer-runtime.js";
import type { Tensor } from "./tensors.js";

export interface BatchNormSlots {
  readonly gamma: ArenaSlot;
  readonly beta: ArenaSlot;
  readonly mean: ArenaSlot;
  readonly variance: ArenaSlot;
}

/** Per channel, in float64. */
interface Moments {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

interface Loaded {
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
  readonly running: Moments;
}

/** Batch normalisation over the last axis, written out in plain loops with float64 sums: the backend has no kernels for it. */
export class BatchNormLayer implements LayerRuntime {
  readonly #slots: BatchNormSlots;
  readonly #epsilon: number;
  readonly #channels: number;
  #loaded: Loaded | null = null;
  /** Of the rows of the last forward pass in training. */
  #moments: Moments | null = null;

  constructor(slots: BatchNormSlots, epsilon: number) {
    this.#slots = slots;
    this.#epsilon = epsilon;
    this.#channels = slots.gamma.length;
  }

  load(parameters: Float32Array): void {
    const copy = ({ offset, length }: ArenaSlot) => parameters.slice(offset, offset + length);
    const { gamma, beta, mean, variance } = this.#slots;
    const running = { mean: Float64Array.from(copy(mean)), variance: Float64Array.from(copy(variance)) };
    this.#loaded = { gamma: copy(gamma), beta: copy(beta), running };
  }

  forward({ tensors, input, training }: ForwardPass): Tensor {
    const { gamma, beta, running } = this.#requireLoaded();
    const x = tensors.view(input);
    this.#moments = training === null ? null : this.#momentsOf(x);
    const { mean, variance } = this.#moments ?? running;
    const inverse = variance.map((value) => 1 / Math.sqrt(value + this.#epsilon));
    const normalised = new Float32Array(x.length);
    for (let index = 0, channel = 0; index < x.length; index++) {
      const centred = (x[index] as number) - (mean[channel] as number);
      normalised[index] =
        centred * (inverse[channel] as number) * (gamma[channel] as number) + (beta[channel] as number);
      if (++channel === this.#channels) channel = 0;
    }
    return tensors.upload(normalised, input.rows, input.columns);
  }

  /**
   * With x̂ the normalised input, n places and d = dy · gamma: dx = (d − mean(d) − x̂ · mean(d · x̂)) / √(variance + epsilon). The slots of
   * the running statistics get the batch's moments times its rows.
   */
  backward({ tensors, input, outputGradient }: BackwardPass, into: Float32Array): Tensor {
    const { gamma } = this.#requireLoaded();
    const moments = this.#moments;
    if (moments === null) throw new TypeError(`${this.#slots.gamma.name} had no forward pass in training`);
    const channels = this.#channels;
    const x = tensors.view(input);
    const dy = tensors.view(outputGradient);
    const n = x.length / channels;
    const inverse = moments.variance.map((value) => 1 / Math.sqrt(value + this.#epsilon));
    const sum = new Float64Array(channels);
    const product = new Float64Array(channels);
    const hat = (index: number, channel: number): number =>
      ((x[index] as number) - (moments.mean[channel] as number)) * (inverse[channel] as number);
    for (let index = 0, channel = 0; index < x.length; index++) {
      const gradient = dy[index] as number;
      sum[channel] = (sum[channel] as number) + gradient;
      product[channel] = (product[channel] as number) + gradient * hat(index, channel);
      if (++channel === channels) channel = 0;
    }
    const dx = new Float32Array(x.length);
    for (let index = 0, channel = 0; index < x.length; index++) {
      const mean = ((sum[channel] as number) + hat(index, channel) * (product[channel] as number)) / n;
      dx[index] = ((dy[index] as number) - mean) * (gamma[channel] as number) * (inverse[channel] as number);
      if (++channel === channels) channel = 0;
    }
    into.set(product, this.#slots.gamma.offset);
    into.set(sum, this.#slots.beta.offset);
    into.set(
      moments.mean.map((value) => value * input.rows),
      this.#slots.mean.offset,
    );
    into.set(
      moments.variance.map((value) => value * input.rows),
      this.#slots.variance.offset,
    );
    return tensors.upload(dx, input.rows, input.columns);
  }

  penalty(): number {
    return 0;
  }

  unload(): void {
    this.#loaded = null;
  }

  #momentsOf(x: Float32Array): Moments {
    const channels = this.#channels;
    const n = x.length / channels;
    const mean = new Float64Array(channels);
    const variance = new Float64Array(channels);
    for (let index = 0, channel = 0; index < x.length; index++) {
      mean[channel] = (mean[channel] as number) + (x[index] as number) / n;
      if (++channel === channels) channel = 0;
    }
    for (let index = 0, channel = 0; index < x.length; index++) {
      const centred = (x[index] as number) - (mean[channel] as number);
      variance[channel] = (variance[channel] as number) + (centred * centred) / n;
      if (++channel === channels) channel = 0;
    }
    return { mean, variance };
  }

  #requireLoaded(): Loaded {
    if (this.#loaded === null) throw new TypeError(`${this.#slots.gamma.name} was used before parameters were loaded`);
    return this.#loaded;
  }
}
