import { type ShapedLayer, widthOf } from "../../../shared/layer-shape.js";
import type { Loss, OptimizerSpec, Padding } from "../../../shared/model-spec.js";
import { unreachable } from "../../../shared/unreachable.js";
import type { Dl4jValue } from "./dl4j-configuration.js";
import { dl4jActivation, dl4jLoss, dl4jRegularization, dl4jUpdater } from "./dl4j-parts.js";

export interface Dl4jLayerInputs {
  readonly optimizer: OptimizerSpec;
  /** Of the last layer; null: this is another. */
  readonly loss: Loss | null;
}

/**
 * One layer as DL4J has it; images are NHWC. Null: DL4J has no such layer, and flattens by a preprocessor.
 * @throws RingstrasseError CHOICE_UNSUPPORTED: an optimizer that DL4J has no counterpart of
 */
export function dl4jLayer({ layer, input }: ShapedLayer, inputs: Dl4jLayerInputs): Dl4jValue | null {
  switch (layer.kind) {
    case "dense": {
      const { loss } = inputs;
      const sizes = { nin: widthOf(input), nout: layer.units };
      const own = loss === null ? { hasLayerNorm: false } : { lossFn: dl4jLoss(loss, layer.units) };
      return { ...weighted(loss === null ? "DenseLayer" : "OutputLayer", layer, inputs), ...own, ...sizes };
    }
    case "conv2d": {
      const sizes = { nin: input.at(-1) ?? 1, nout: layer.filters };
      const moving = { ...movement(layer, layer.kernel), cudnnAlgoMode: "PREFER_FASTEST" };
      const chosen = { cudnnBwdDataAlgo: null, cudnnBwdFilterAlgo: null, cudnnFwdAlgo: null };
      return { ...weighted("ConvolutionLayer", layer, inputs), ...moving, ...chosen, ...sizes };
    }
    case "maxPool":
    case "avgPool":
      return {
        ...plain("SubsamplingLayer", layer.name),
        ...movement(layer, layer.window),
        avgPoolIncludePadInDivisor: false,
        eps: 1e-8,
        pnorm: 0,
        poolingType: layer.kind === "maxPool" ? "MAX" : "AVG",
      };
    case "flatten":
      return null;
    case "activation":
      return { ...plain("ActivationLayer", layer.name), activationFn: dl4jActivation(layer.activation) };
    case "dropout": {
      const kept = { initializedHelper: false, helperAllowFallback: true, p: 1 - layer.rate, pschedule: null };
      const idropout = { "@class": "org.deeplearning4j.nn.conf.dropout.Dropout", ...kept };
      return { ...trained("DropoutLayer", layer.name, inputs), idropout, nin: 0, nout: 0 };
    }
    case "batchNorm": {
      const channels = input.at(-1) ?? 1;
      return {
        ...trained("BatchNormalization", layer.name, inputs),
        beta: 0,
        cnn2DFormat: input.length === 3 ? "NHWC" : "NCHW",
        cudnnAllowFallback: true,
        decay: layer.momentum,
        eps: layer.epsilon,
        gamma: 1,
        lockGammaBeta: false,
        minibatch: true,
        nin: channels,
        nout: channels,
        useLogStd: true,
      };
    }
    default:
      return unreachable(layer);
  }
}

/** Between images and flat rows. */
export function dl4jFlattening([inputHeight = 1, inputWidth = 1, numChannels = 1]: readonly number[]): Dl4jValue {
  const path = "org.deeplearning4j.nn.conf.preprocessor.CnnToFeedForwardPreProcessor";
  return { "@class": path, format: "NHWC", inputHeight, inputWidth, numChannels };
}

interface Weighted {
  readonly name: string;
  readonly activation: Parameters<typeof dl4jActivation>[0];
  readonly initialBias: number;
  readonly l2?: number | undefined;
}

function weighted(className: string, layer: Weighted, inputs: Dl4jLayerInputs): Dl4jValue {
  return {
    ...trained(className, layer.name, inputs),
    activationFn: dl4jActivation(layer.activation),
    biasInit: layer.initialBias,
    hasBias: true,
    regularization: [...penalty(layer.l2 ?? 0), ...dl4jRegularization(inputs.optimizer)],
    regularizationBias: dl4jRegularization(inputs.optimizer),
  };
}

/** DL4J's penalty is half the coefficient times the squares. */
function penalty(l2: number): Dl4jValue[] {
  if (l2 === 0) return [];
  const path = "org.nd4j.linalg.learning.regularization.L2Regularization";
  return [{ "@class": path, l2: { "@class": "org.nd4j.linalg.schedule.FixedSchedule", value: 2 * l2 } }];
}

/** What all layers have that could be trained. */
function trained(className: string, layerName: string, { optimizer }: Dl4jLayerInputs): Dl4jValue {
  return {
    ...plain(className, layerName),
    activationFn: dl4jActivation("linear"),
    biasInit: 0,
    biasUpdater: null,
    gainInit: 1,
    gradientNormalizationThreshold: 1,
    iupdater: dl4jUpdater(optimizer),
    regularization: [],
    regularizationBias: [],
    timeDistributedFormat: null,
    weightInitFn: { "@class": "org.deeplearning4j.nn.weights.WeightInitXavierUniform" },
    weightNoise: null,
  };
}

function plain(className: string, layerName: string): Dl4jValue {
  return {
    "@class": `org.deeplearning4j.nn.conf.layers.${className}`,
    constraints: null,
    gradientNormalization: "None",
    gradientNormalizationThreshold: 0,
    idropout: null,
    layerName,
  };
}

interface Moving {
  readonly stride: readonly [number, number];
  readonly padding: Padding;
}

function movement({ stride, padding }: Moving, kernelSize: readonly [number, number]) {
  return {
    cnn2dDataFormat: "NHWC",
    convolutionMode: padding === "same" ? "Same" : "Truncate",
    cudnnAllowFallback: true,
    dilation: [1, 1],
    kernelSize,
    padding: [0, 0],
    stride,
  };
}
