import type { ArenaLayout } from "../arena-layout.js";
import type { LayerSpec, ModelSpec } from "../model-spec.js";
import { METADATA_KEY, MODEL_FILES, type ModelFacts } from "./model-facts.js";

/** One tensor in `weightsManifest`; the tensors lie in this order, without gaps, in the weights file. */
export interface WeightEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: "float32";
}

/** The `model.json` of a tfjs LayersModel. */
export interface LayersModelJson {
  readonly format: "layers-model";
  readonly generatedBy: string;
  readonly convertedBy: null;
  readonly modelTopology: object;
  readonly weightsManifest: readonly { readonly paths: readonly string[]; readonly weights: readonly WeightEntry[] }[];
  readonly userDefinedMetadata: { readonly [METADATA_KEY]: ModelFacts };
}

/**
 * The `model.json` that `tf.loadLayersModel` reads: a Keras Sequential whose last activation is the one that the loss
 * is computed of, so that it predicts what `ringstrasse predict` does. Pure.
 * @param version of this software, for `generatedBy`.
 */
export function layersModelJson(facts: ModelFacts, layout: ArenaLayout, version: string): LayersModelJson {
  return {
    format: "layers-model",
    generatedBy: `ringstrasse ${version}`,
    convertedBy: null,
    modelTopology: sequential(facts.model),
    weightsManifest: [{ paths: [MODEL_FILES.weights], weights: weightEntries(layout) }],
    userDefinedMetadata: { [METADATA_KEY]: facts },
  };
}

/** The manifest's tensors of a layout: the same names, in layer order. */
export function weightEntries(layout: ArenaLayout): WeightEntry[] {
  return layout.slots.map(({ name, shape }) => ({ name, shape, dtype: "float32" }));
}

function sequential(model: ModelSpec): object {
  return {
    class_name: "Sequential",
    config: {
      name: "ringstrasse",
      layers: model.layers.map((layer, index) => kerasLayer(layer, index === 0 ? model.inputs : null)),
    },
    keras_version: "2.9.0",
    backend: "tensorflow",
  };
}

function kerasLayer(layer: LayerSpec, inputs: number | null): object {
  return {
    class_name: "Dense",
    config: {
      name: layer.name,
      trainable: true,
      ...(inputs === null ? {} : { batch_input_shape: [null, inputs] }),
      dtype: "float32",
      units: layer.units,
      activation: layer.activation,
      use_bias: true,
      kernel_initializer: { class_name: "GlorotUniform", config: { seed: null } },
      bias_initializer: { class_name: "Constant", config: { value: layer.initialBias } },
      kernel_regularizer: null,
      bias_regularizer: null,
      activity_regularizer: null,
      kernel_constraint: null,
      bias_constraint: null,
    },
  };
}
