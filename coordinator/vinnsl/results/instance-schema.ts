import { INPUT_ROWS, layerWithShapes, widthOf } from "../../../shared/layer-shape.js";
import { outputsOf } from "../../../shared/model-spec.js";
import { leafElement, type ObjectElement, parentElement } from "../object/object-element.js";
import { activationText, dataName, executionEnvironment, inputId, problemDomain } from "./document-facts.js";
import { dateText, type RunFacts } from "./run-facts.js";
import { encodeWeightMatrix } from "./weight-matrix.js";

/** A document of 16 MiB is the largest that is read; 6 MiB become 8 MiB of text, which leaves room for the rest. */
const maxWeightBytes = 6 * 1024 * 1024;

/**
 * `<instanceschema>`: the trained network with its weights. Valid against the schema, which has room for one hidden
 * block: the first stands there; all layers are named in `connections`, and those with weights told with shapes, activations and
 * weights in `weightmatrix`. Pure.
 * @throws RangeError when weights and model don't fit
 */
export function instanceSchema(facts: RunFacts): ObjectElement {
  const { spec, weights, weightsFile } = facts;
  const { model } = spec;
  const hidden = layerWithShapes(model).slice(0, -1);
  const ids = [inputId(facts), ...model.layers.map(({ name }) => name)];
  const pairs = ids.slice(1).flatMap((to, index) => {
    return [leafElement("fromblock", ids[index] ?? ""), leafElement("toblock", to)];
  });
  const shortcuts = model.layers.flatMap((layer) => {
    const from = layer.kind === "dense" ? (layer.from ?? []) : [];
    return from.flatMap((name) => [
      leafElement("fromneuron", name === INPUT_ROWS ? inputId(facts) : name),
      leafElement("toneuron", layer.name),
    ]);
  });
  const data = dataName(facts);
  return parentElement("instanceschema", [
    leafElement("identifier", spec.jobId),
    leafElement("creationdate", dateText(facts.finishedAt)),
    parentElement("structure", [
      block("input", ids.at(0) ?? "", model.inputs),
      ...hidden.slice(0, 1).map(({ layer, output }) => block("hidden", layer.name, widthOf(output))),
      block("output", ids.at(-1) ?? "", outputsOf(model)),
      parentElement("connections", [
        parentElement("fullconnected", pairs),
        ...(shortcuts.length === 0 ? [] : [parentElement("shortcuts", shortcuts)]),
      ]),
    ]),
    executionEnvironment(facts),
    problemDomain(facts),
    leafElement(
      "weightmatrix",
      encodeWeightMatrix({ model, weights, file: weightsFile, maxSizeBytes: maxWeightBytes }),
    ),
    leafElement("activationfunction", activationText(model)),
    ...(data === null ? [] : [leafElement("dataSchemaID", data)]),
  ]);
}

function block(kind: "input" | "hidden" | "output", id: string, size: number): ObjectElement {
  return parentElement(kind, [leafElement("ID", id), leafElement("dimension", "1"), leafElement("size", String(size))]);
}
