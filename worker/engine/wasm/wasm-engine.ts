import type { ArenaLayout } from "../../../shared/arena-layout.js";
import type { ModelSpec } from "../../../shared/model-spec.js";
import { DropoutMasks } from "../dropout-masks.js";
import type { Engine, EngineIdentity, EngineOptions, MicroBatch, StepPosition, StepSums } from "../engine.js";
import { LossHead } from "../loss-head.js";
import { createLayers, type LayersToCreate } from "./create-layers.js";
import type { LayerRuntime } from "./layer-runtime.js";
import { type LayerOutputs, LayerWiring } from "./layer-wiring.js";
import { type Tensor, Tensors } from "./tensors.js";
import { openTfjsBackend, type TfjsBackend } from "./tfjs-backend.js";

interface Forward {
  readonly inputs: readonly Tensor[];
  readonly outputs: LayerOutputs;
}

/**
 * tfjs's wasm backend, made trainable: forward and backward pass layer by layer, written out, since tfjs's tape costs more than
 * it saves here and gives no gradient before all are there. Needs nothing but npm packages.
 */
export class WasmEngine implements Engine {
  readonly identity: EngineIdentity;
  readonly #tfjs: TfjsBackend;
  readonly #inputs: number;
  readonly #layers: readonly LayerRuntime[];
  readonly #wiring: LayerWiring;
  readonly #head: LossHead;

  private constructor(inputs: LayersToCreate) {
    const { tfjs, model } = inputs;
    this.#tfjs = tfjs;
    this.identity = tfjs.identity;
    this.#inputs = model.inputs;
    this.#head = new LossHead(model);
    this.#layers = createLayers(inputs);
    this.#wiring = new LayerWiring(model);
  }

  /** @throws RingstrasseError ENGINE_UNAVAILABLE, CHOICE_UNSUPPORTED */
  static async create(model: ModelSpec, layout: ArenaLayout, options: EngineOptions = {}): Promise<WasmEngine> {
    const masks = await DropoutMasks.create(model, options.seed ?? 0);
    return new WasmEngine({ tfjs: await openTfjsBackend(), model, layout, masks });
  }

  loadParameters(parameters: Float32Array): void {
    for (const layer of this.#layers) layer.load(parameters);
  }

  computeGradients(
    batch: MicroBatch,
    position: StepPosition,
    into: Float32Array,
    onBucketReady?: (layer: number) => void,
  ): Promise<StepSums> {
    return this.#compute((tensors) => {
      const { inputs, outputs } = this.#forward(tensors, batch.x, batch.count, position);
      const logits = outputs.at(-1) as Tensor;
      const logitsGradient = new Float32Array(batch.count * logits.columns);
      const sums = this.#withPenalty(this.#head.evaluate(tensors.view(logits), batch, logitsGradient));
      const gradients: Tensor[] = [];
      gradients[this.#layers.length] = tensors.upload(logitsGradient, batch.count, logits.columns);
      for (let index = this.#layers.length - 1; index >= 0; index--) {
        const layer = this.#layers[index] as LayerRuntime;
        const [input, output] = [inputs[index] as Tensor, outputs[index + 1] as Tensor];
        const outputGradient = gradients[index + 1] as Tensor;
        const pass = { tensors, input, output, outputGradient, needsInputGradient: index > 0 };
        const gradient = layer.backward(pass, into);
        if (gradient !== null) this.#wiring.handBack(tensors, index, { gradient, outputs, gradients });
        onBucketReady?.(index);
      }
      return sums;
    });
  }

  evaluate(batch: MicroBatch): Promise<StepSums> {
    return this.#compute((tensors) => {
      const logits = this.#forward(tensors, batch.x, batch.count, null).outputs.at(-1) as Tensor;
      return this.#withPenalty(this.#head.evaluate(tensors.view(logits), batch, null));
    });
  }

  predict(x: Float32Array, count: number): Promise<Float32Array> {
    return this.#compute((tensors) => {
      const logits = this.#forward(tensors, x, count, null).outputs.at(-1) as Tensor;
      return this.#head.activate(tensors.view(logits), count);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const layer of this.#layers) layer.unload();
    return Promise.resolve();
  }

  /** What goes into every layer, and the rows with what comes out of each: `outputs[i + 1]` of layer i. */
  #forward(tensors: Tensors, x: Float32Array, count: number, training: StepPosition | null): Forward {
    const inputs: Tensor[] = [];
    const outputs = [tensors.upload(x, count, this.#inputs)];
    for (const [index, layer] of this.#layers.entries()) {
      const input = this.#wiring.inputOf(tensors, index, outputs);
      inputs.push(input);
      outputs.push(layer.forward({ tensors, input, training }));
    }
    return { inputs, outputs };
  }

  /** Each row has the whole penalty, so that dividing sums by rows leaves it once. */
  #withPenalty(sums: StepSums): StepSums {
    const penalty = this.#layers.reduce((total, layer) => total + layer.penalty(), 0);
    return penalty === 0 ? sums : { ...sums, lossSum: sums.lossSum + penalty * sums.count };
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
