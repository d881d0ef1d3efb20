import { RingstrasseError } from "../../../shared/failure.js";
import { layerWithShapes, type ShapedLayer } from "../../../shared/layer-shape.js";
import type { LayerSpec, ModelSpec, OptimizerSpec } from "../../../shared/model-spec.js";
import type { Dl4jConfiguration, Dl4jLayerConfiguration, Dl4jValue } from "./dl4j-configuration.js";
import { dl4jFlattening, dl4jLayer } from "./dl4j-layer.js";

/** What a definition means, as `settleJob` says. */
export interface NetworkToTransform {
  readonly model: ModelSpec;
  readonly optimizer: OptimizerSpec;
  readonly seed: number;
  /** What its steps have that such a configuration can't say, for people: see `describeStepSettings`. Absent: nothing. */
  readonly stepRules?: readonly string[];
}

export interface Dl4jTransformation {
  readonly configuration: Dl4jConfiguration;
  /** Where DL4J, given this, would compute something else than Ringstrasse does; for people. */
  readonly differences: readonly string[];
}

/**
 * The network as a MultiLayerConfiguration of Deeplearning4j: every layer with its settings and initial bias, loss, updater,
 * seed. Pure.
 * @throws RingstrasseError CHOICE_UNSUPPORTED: an optimizer that DL4J has no counterpart of; shortcuts, which such a configuration can't have
 */
export function toDl4j(network: NetworkToTransform): Dl4jTransformation {
  const { model, optimizer, seed } = network;
  const confs: Dl4jLayerConfiguration[] = [];
  const inputPreProcessors: Record<string, Dl4jValue> = {};
  for (const [index, shaped] of layerWithShapes(model).entries()) {
    refuseShortcuts(shaped);
    const loss = index === model.layers.length - 1 ? model.loss : null;
    const layer = dl4jLayer(shaped, { optimizer, loss });
    if (layer !== null) confs.push(layerConfiguration(layer, seed));
    else if (shaped.input.length > 1) inputPreProcessors[`${confs.length}`] = dl4jFlattening(shaped.input);
  }
  return {
    configuration: {
      backpropType: "Standard",
      cacheMode: "NONE",
      confs,
      dataType: "FLOAT",
      epochCount: 0,
      inferenceWorkspaceMode: "ENABLED",
      inputPreProcessors,
      iterationCount: 0,
      tbpttBackLength: 20,
      tbpttFwdLength: 20,
      trainingWorkspaceMode: "ENABLED",
      validateOutputLayerConfig: true,
    },
    differences: differencesOf(network),
  };
}

function differencesOf({ model, optimizer, stepRules = [] }: NetworkToTransform): string[] {
  const has = (kind: LayerSpec["kind"]) => model.layers.some((layer) => layer.kind === kind);
  return [
    "the initial weights are of the same distribution (Glorot, uniform), but other numbers",
    ...(optimizer.kind === "momentum"
      ? ["DL4J knows momentum in Nesterov's form only: its Nesterovs stands for momentum"]
      : []),
    ...(model.inputShape === undefined
      ? []
      : [`DL4J takes the rows as images: [rows, ${model.inputShape.join(", ")}], channels last`]),
    ...(has("dropout") ? ["DL4J drops other inputs: its random numbers are its own"] : []),
    ...(has("batchNorm") && optimizer.kind === "adamw"
      ? ["DL4J does not decay what a batch normalisation learns"]
      : []),
    ...stepRules.map((rule) => `the configuration leaves this out: ${rule}`),
  ];
}

function layerConfiguration(layer: Dl4jValue, seed: number): Dl4jLayerConfiguration {
  return {
    cacheMode: "NONE",
    dataType: "FLOAT",
    epochCount: 0,
    iterationCount: 0,
    layer,
    maxNumLineSearchIterations: 5,
    miniBatch: true,
    minimize: true,
    optimizationAlgo: "STOCHASTIC_GRADIENT_DESCENT",
    seed,
    stepFunction: null,
    variables: [],
  };
}

function refuseShortcuts({ layer, shortcuts }: ShapedLayer): void {
  if (shortcuts.length === 0) return;
  throw new RingstrasseError({
    code: "CHOICE_UNSUPPORTED",
    option: "DL4J transformation of the connections",
    value: `shortcuts to ${layer.name}`,
    supported: ["fullconnected"],
    remedy: "Ask for the configuration of a network without shortcuts: DL4J's MultiLayerConfiguration is one path",
  });
}
