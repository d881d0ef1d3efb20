import { RingstrasseError } from "../../shared/failure.js";
import type { Activation, Loss, ModelSpec } from "../../shared/model-spec.js";
import type { NetworkDefinition } from "./network-definition.js";
import { networkLayers } from "./network-layers.js";

/**
 * The model that a document's network is: its layers, the loss, and what the targets are. Pure.
 * @param file the document, for messages; null when it came from elsewhere.
 * @throws RingstrasseError DOCUMENT_UNSUPPORTED: a loss that does not go with the problem or the output's activation
 */
export function networkModel(definition: NetworkDefinition, file: string | null): ModelSpec {
  const { problem, output, parameters } = definition;
  const { loss, activation } = lossOf(definition, file);
  const { biasInput, biasHidden } = parameters;
  const { inputs, inputShape, layers } = networkLayers(definition, { activation, biasInput, biasHidden });
  return {
    inputs,
    ...(inputShape === undefined ? {} : { inputShape: [...inputShape] }),
    layers: [...layers],
    loss,
    targets:
      problem === "classification"
        ? { kind: "class", classes: Math.max(2, output.size) }
        : { kind: "values", outputs: output.size },
  };
}

/** The loss, and the last activation that goes with it: what the document says, or what follows from the problem. */
function lossOf(
  { problem, output, parameters }: NetworkDefinition,
  file: string | null,
): { loss: Loss; activation: Activation } {
  const wish = parameters.loss ?? (problem === "classification" ? "crossEntropy" : "meanSquaredError");
  if (wish !== "crossEntropy") {
    const natural = problem === "regression" ? "linear" : output.size === 1 ? "sigmoid" : "softmax";
    return { loss: wish, activation: output.activation ?? natural };
  }
  const refuse = (problemText: string, supported: string[]): RingstrasseError => {
    const elementPath = parameters.paths["loss"] ?? output.path;
    const failure = { code: "DOCUMENT_UNSUPPORTED", file, line: null, column: null, elementPath } as const;
    return new RingstrasseError({ ...failure, problem: problemText, supported });
  };
  if (problem === "regression") {
    throw refuse("cross-entropy needs classes, and the problemType is Approximators", [
      "mse",
      "mae",
      "problemType Classifiers",
    ]);
  }
  const activation = output.activation ?? (output.size === 1 ? "sigmoid" : "softmax");
  if (activation === "sigmoid") return { loss: "sigmoidCrossEntropy", activation };
  if (activation === "softmax" && output.size > 1) return { loss: "softmaxCrossEntropy", activation };
  throw refuse(`an output block of size ${output.size} with activation ${activation} does not go with cross-entropy`, [
    output.size > 1 ? "softmax or sigmoid" : "sigmoid",
    "loss mse with any activation",
  ]);
}
