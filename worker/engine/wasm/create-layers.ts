import type { ArenaLayout, ArenaSlot } from "../../../shared/arena-layout.js";
import { layerWithShapes, type ShapedLayer } from "../../../shared/layer-shape.js";
import type { ModelSpec } from "../../../shared/model-spec.js";
import { unreachable } from "../../../shared/unreachable.js";
import type { DropoutMasks } from "../dropout-masks.js";
import { BatchNormLayer } from "./batch-norm-layer.js";
import { ConvolutionLayer } from "./convolution-layer.js";
import { DenseLayer } from "./dense-layer.js";
import { ActivationLayer, DropoutLayer, FlattenLayer } from "./elementwise-layers.js";
import type { LayerRuntime } from "./layer-runtime.js";
import { PoolLayer } from "./pool-layer.js";
import type { TfjsBackend } from "./tfjs-backend.js";

export interface LayersToCreate {
  readonly tfjs: TfjsBackend;
  readonly model: ModelSpec;
  readonly layout: ArenaLayout;
  /** Of the model; null: it drops nothing. */
  readonly masks: DropoutMasks | null;
}

/** A model's layers on the wasm backend. @throws RangeError when model and layout are not of each other. */
export function createLayers(inputs: LayersToCreate): LayerRuntime[] {
  return layerWithShapes(inputs.model).map((shaped, index) => createLayer(inputs, shaped, index));
}

function createLayer({ tfjs, model, layout, masks }: LayersToCreate, shaped: ShapedLayer, index: number): LayerRuntime {
  const { layer } = shaped;
  const slot = (suffix: string): ArenaSlot => {
    const name = `${layer.name}/${suffix}`;
    const slots = [...layout.slots, ...layout.statistics];
    const found = slots.find((candidate) => candidate.layer === index && candidate.name === name);
    if (found === undefined) throw new RangeError(`the arena has no ${name}: it was laid out for another model`);
    return found;
  };
  switch (layer.kind) {
    case "dense": {
      // The last activation belongs to the loss head, which needs the weighted sums.
      const activation = index === model.layers.length - 1 ? "linear" : layer.activation;
      return new DenseLayer(tfjs, { kernel: slot("kernel"), bias: slot("bias") }, { ...layer, activation });
    }
    case "conv2d":
      return new ConvolutionLayer(tfjs, { kernel: slot("kernel"), bias: slot("bias") }, layer, shaped);
    case "maxPool":
    case "avgPool":
      return new PoolLayer(layer, shaped);
    case "flatten":
      return new FlattenLayer();
    case "activation":
      return new ActivationLayer(layer.activation, shaped.input.at(-1) ?? 1);
    case "dropout":
      if (masks === null) throw new RangeError(`${layer.name} has no masks`);
      return new DropoutLayer(masks, index);
    case "batchNorm": {
      const [mean, variance] = [slot("moving_mean"), slot("moving_variance")];
      return new BatchNormLayer({ gamma: slot("gamma"), beta: slot("beta"), mean, variance }, layer.epsilon);
    }
    default:
      return unreachable(layer);
  }
}
