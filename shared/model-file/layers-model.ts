import type { ArenaLayout } from "../arena-layout.js";
import { layerWithShapes } from "../layer-shape.js";
import type { ModelSpec } from "../model-spec.js";
import { functionalModel } from "./functional-model.js";
import { kerasLayer } from "./keras-layer.js";
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
 * The `model.json` that `tf.loadLayersModel` reads: a Keras Sequential, with shortcuts a Functional model, whose last activation is the
 * one that the loss is computed of, so that it predicts what `ringstrasse predict` does. Pure.
 * @param version of this software, for `generatedBy`.
 */
export function layersModelJson(facts: ModelFacts, layout: ArenaLayout, version: string): LayersModelJson {
  return {
    format: "layers-model",
    generatedBy: `ringstrasse ${version}`,
    convertedBy: null,
    modelTopology: topology(facts.model),
    weightsManifest: [{ paths: [MODEL_FILES.weights], weights: weightEntries(layout) }],
    userDefinedMetadata: { [METADATA_KEY]: facts },
  };
}

/** The manifest's tensors of a layout: the same names, in layer order, trainable ones first. */
export function weightEntries(layout: ArenaLayout): WeightEntry[] {
  return [...layout.slots, ...layout.statistics].map(({ name, shape }) => ({ name, shape, dtype: "float32" }));
}

function topology(model: ModelSpec): object {
  const layers = layerWithShapes(model);
  const name = "ringstrasse";
  const hasShortcuts = layers.some(({ shortcuts }) => shortcuts.length > 0);
  return {
    class_name: hasShortcuts ? "Functional" : "Sequential",
    config: hasShortcuts
      ? functionalModel(name, model.inputShape ?? [model.inputs], layers)
      : { name, layers: layers.map((shaped, index) => kerasLayer(shaped, index === 0)) },
    keras_version: "2.9.0",
    backend: "tensorflow",
  };
}
