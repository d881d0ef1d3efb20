import type { ModelSpec, OptimizerSpec } from "../../../shared/model-spec.js";
import type { Dl4jConfiguration, Dl4jLayerConfiguration, Dl4jValue } from "./dl4j-configuration.js";
import { dl4jActivation, dl4jLoss, dl4jRegularization, dl4jUpdater } from "./dl4j-parts.js";

/** What a definition means, as `settleJob` says. */
export interface NetworkToTransform {
  readonly model: ModelSpec;
  readonly optimizer: OptimizerSpec;
  readonly seed: number;
}

export interface Dl4jTransformation {
  readonly configuration: Dl4jConfiguration;
  /** Where DL4J, given this, would compute something else than Ringstrasse does; for people. */
  readonly differences: readonly string[];
}

/**
 * The network as a MultiLayerConfiguration of Deeplearning4j: every block, its activation and initial bias, loss, updater,
 * seed. Pure.
 * @throws RingstrasseError CHOICE_UNSUPPORTED: an optimizer that DL4J has no counterpart of
 */
export function toDl4j(network: NetworkToTransform): Dl4jTransformation {
  const { model, optimizer } = network;
  const confs = model.layers.map((_, index) => layerConfiguration(network, index));
  return {
    configuration: {
      backpropType: "Standard",
      cacheMode: "NONE",
      confs,
      dataType: "FLOAT",
      epochCount: 0,
      inferenceWorkspaceMode: "ENABLED",
      inputPreProcessors: {},
      iterationCount: 0,
      tbpttBackLength: 20,
      tbpttFwdLength: 20,
      trainingWorkspaceMode: "ENABLED",
      validateOutputLayerConfig: true,
    },
    differences: [
      "the initial weights are of the same distribution (Glorot, uniform), but other numbers",
      ...(optimizer.kind === "momentum"
        ? ["DL4J knows momentum in Nesterov's form only: its Nesterovs stands for momentum"]
        : []),
    ],
  };
}

function layerConfiguration({ model, optimizer, seed }: NetworkToTransform, index: number): Dl4jLayerConfiguration {
  return {
    cacheMode: "NONE",
    dataType: "FLOAT",
    epochCount: 0,
    iterationCount: 0,
    layer: layerOf(model, optimizer, index),
    maxNumLineSearchIterations: 5,
    miniBatch: true,
    minimize: true,
    optimizationAlgo: "STOCHASTIC_GRADIENT_DESCENT",
    seed,
    stepFunction: null,
    variables: [],
  };
}

function layerOf(model: ModelSpec, optimizer: OptimizerSpec, index: number): Dl4jValue {
  const { layers, inputs, loss } = model;
  const layer = layers[index];
  if (layer === undefined) throw new RangeError(`the model has no layer ${index}`);
  const isOutput = index === layers.length - 1;
  return {
    "@class": `org.deeplearning4j.nn.conf.layers.${isOutput ? "OutputLayer" : "DenseLayer"}`,
    activationFn: dl4jActivation(layer.activation),
    biasInit: layer.initialBias,
    biasUpdater: null,
    constraints: null,
    gainInit: 1,
    gradientNormalization: "None",
    gradientNormalizationThreshold: 1,
    hasBias: true,
    ...(isOutput ? {} : { hasLayerNorm: false }),
    idropout: null,
    iupdater: dl4jUpdater(optimizer),
    layerName: layer.name,
    ...(isOutput ? { lossFn: dl4jLoss(loss, layer.units) } : {}),
    nin: layers[index - 1]?.units ?? inputs,
    nout: layer.units,
    regularization: dl4jRegularization(optimizer),
    regularizationBias: dl4jRegularization(optimizer),
    timeDistributedFormat: null,
    weightInitFn: { "@class": "org.deeplearning4j.nn.weights.WeightInitXavierUniform" },
    weightNoise: null,
  };
}
