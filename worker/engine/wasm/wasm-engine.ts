import type { ArenaLayout, ArenaSlot } from "../../../shared/arena-layout.js";
import type { ModelSpec } from "../../../shared/model-spec.js";
import type { Engine, EngineIdentity, MicroBatch, StepPosition, StepSums } from "../engine.js";
import { LossHead } from "../loss-head.js";
import { DenseLayer } from "./dense-layer.js";
import type { LayerRuntime } from "./layer-runtime.js";
import { type Tensor, Tensors } from "./tensors.js";
import { openTfjsBackend, type TfjsBackend } from "./tfjs-backend.js";

/**
 * tfjs's wasm backend, made trainable: forward and backward pass layer by layer, written out, since tfjs's tape costs more than
 * it saves here and gives no gradient before all are there. Needs nothing but npm packages.
 */
export class WasmEngine implements Engine {
  readonly identity: EngineIdentity;
  readonly #tfjs: TfjsBackend;
  readonly #inputs: number;
  readonly #layers: readonly LayerRuntime[];
  readonly #head: LossHead;

  private constructor(tfjs: TfjsBackend, model: ModelSpec, layout: ArenaLayout) {
    this.#tfjs = tfjs;
    this.identity = tfjs.identity;
    this.#inputs = model.inputs;
    this.#head = new LossHead(model);
    this.#layers = createLayers(tfjs, model, layout);
  }

  /** @throws RingstrasseError ENGINE_UNAVAILABLE, CHOICE_UNSUPPORTED */
  static async create(model: ModelSpec, layout: ArenaLayout): Promise<WasmEngine> {
    return new WasmEngine(await openTfjsBackend(), model, layout);
  }

  loadParameters(parameters: Float32Array): void {
    for (const layer of this.#layers) layer.load(parameters);
  }

  computeGradients(
    batch: MicroBatch,
    _position: StepPosition,
    into: Float32Array,
    onBucketReady?: (layer: number) => void,
  ): Promise<StepSums> {
    return this.#compute((tensors) => {
      const outputs = this.#forward(tensors, batch.x, batch.count);
      const logits = outputs.at(-1) as Tensor;
      const logitsGradient = new Float32Array(batch.count * logits.columns);
      const sums = this.#head.evaluate(tensors.view(logits), batch, logitsGradient);
      let outputGradient: Tensor | null = tensors.upload(logitsGradient, batch.count, logits.columns);
      for (let index = this.#layers.length - 1; index >= 0 && outputGradient !== null; index--) {
        const layer = this.#layers[index] as LayerRuntime;
        const input = outputs[index] as Tensor;
        const output = outputs[index + 1] as Tensor;
        const pass = { tensors, input, output, outputGradient, needsInputGradient: index > 0 };
        outputGradient = layer.backward(pass, into);
        onBucketReady?.(index);
      }
      return sums;
    });
  }

  evaluate(batch: MicroBatch): Promise<StepSums> {
    return this.#compute((tensors) => {
      const logits = this.#forward(tensors, batch.x, batch.count).at(-1) as Tensor;
      return this.#head.evaluate(tensors.view(logits), batch, null);
    });
  }

  predict(x: Float32Array, count: number): Promise<Float32Array> {
    return this.#compute((tensors) => {
      const logits = this.#forward(tensors, x, count).at(-1) as Tensor;
      return this.#head.activate(tensors.view(logits), count);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const layer of this.#layers) layer.unload();
    return Promise.resolve();
  }

  /** Input and output of every layer: `[i]` goes into layer i, `[i + 1]` comes out. */
  #forward(tensors: Tensors, x: Float32Array, count: number): Tensor[] {
    const outputs = [tensors.upload(x, count, this.#inputs)];
    for (const layer of this.#layers) outputs.push(layer.forward(tensors, outputs.at(-1) as Tensor));
    return outputs;
  }

  /** Computes at once; what throws rejects. Everything made on the way is freed, whatever happens. */
  #compute<T>(work: (tensors: Tensors) => T): Promise<T> {
    return new Promise((resolve) => {
      const tensors = new Tensors(this.#tfjs);
      try {
        resolve(work(tensors));
      } finally {
        tensors.free();
      }
    });
  }
}

function createLayers(tfjs: TfjsBackend, model: ModelSpec, layout: ArenaLayout): LayerRuntime[] {
  return model.layers.map((layer, index) => {
    const slot = (name: string): ArenaSlot => {
      const found = layout.slots.find((candidate) => candidate.layer === index && candidate.name === name);
      if (found === undefined) throw new RangeError(`the arena has no ${name}: it was laid out for another model`);
      return found;
    };
    // The last activation belongs to the loss head, which needs the weighted sums.
    const activation = index === model.layers.length - 1 ? "linear" : layer.activation;
    const slots = { kernel: slot(`${layer.name}/kernel`), bias: slot(`${layer.name}/bias`) };
    return new DenseLayer(tfjs, slots, activation);
  });
}
