import type { ModelSpec } from "../../../shared/model-spec.js";
import { foldName } from "../element-rule.js";
import {
  childElements,
  findChild,
  leafElement,
  type ObjectElement,
  parentElement,
  textAt,
} from "../object/object-element.js";
import { partOf } from "../object/vinnsl-object.js";
import type { RunFacts } from "./run-facts.js";

const networkTypes = ["Backpropagation", "Perceptron", "CNN"];
const learningTypes = ["supervised", "trained"];
const machines = ["cluster", "gpgpu", "multicore"];

/** What the trained document says, its description where the definition is silent, in the spelling of the schemas. */
function saidOf({ object }: RunFacts, ...path: readonly string[]): string | null {
  return textAt(partOf(object, "definition"), ...path) ?? textAt(partOf(object, "description"), ...path);
}

function spelling(text: string | null, known: readonly [string, ...string[]] | readonly string[]): string {
  const folded = foldName(text ?? "");
  return known.find((name) => foldName(name) === folded) ?? known[0] ?? "";
}

/** `<networkType>` */
export function networkType(facts: RunFacts): ObjectElement {
  return leafElement("networkType", spelling(saidOf(facts, "problemDomain", "networkType"), networkTypes));
}

/** `<propagationType>` */
export function propagationType(facts: RunFacts): ObjectElement {
  const said = saidOf(facts, "problemDomain", "propagationType", "learningType");
  return {
    name: "propagationType",
    attributes: new Map([["type", "feedforward"]]),
    content: [leafElement("learningType", spelling(said, learningTypes))],
  };
}

/** An instance's `<problemDomain>`; its fields of application are the document's, in letters alone. */
export function problemDomain(facts: RunFacts): ObjectElement {
  const { object, spec } = facts;
  const parts = (["definition", "description"] as const).map((part) =>
    findChild(partOf(object, part), "problemDomain"),
  );
  const fieldsOf = (domain: ObjectElement | undefined) =>
    domain === undefined ? [] : childElements(domain).filter(({ name }) => name === "applicationField");
  const fields = parts.map(fieldsOf).find((found) => found.length > 0) ?? [];
  const names = fields.map((field) =>
    (textAt(parentElement("", [field]), "applicationField") ?? "").replace(/[^A-Za-z]/g, ""),
  );
  return parentElement("problemDomain", [
    networkType(facts),
    propagationType(facts),
    ...(names.length > 0 ? names : [""]).map((name) => leafElement("applicationField", name)),
    leafElement("problemType", spec.model.targets.kind === "class" ? "Classifiers" : "Approximators"),
  ]);
}

/** How the job ran, in the words that a definition could ask for it with. */
export function executionEnvironment(facts: RunFacts): ObjectElement {
  const { object, finished, version } = facts;
  const spmd = ["executionEnvironment", "parallel", "software", "data", "structural", "spmd"].reduce<
    ObjectElement | undefined
  >(findChild, partOf(object, "definition"));
  const machine = machines.find((name) => findChild(spmd, name) !== undefined) ?? "multicore";
  const parameter = (kind: string, name: string, value: string): ObjectElement => ({
    name: kind,
    attributes: new Map([["name", name]]),
    content: [value],
  });
  const nested = (names: readonly string[], innermost: ObjectElement) =>
    names.reduceRight((inner, name) => parentElement(name, [inner]), innermost);
  return parentElement("executionEnvironment", [
    leafElement("serial", "true"),
    parentElement("parallel", [
      nested(["software", "data", "structural", "spmd"], {
        name: machine,
        attributes: new Map([["version", version]]),
        content: ["ringstrasse"],
      }),
      parentElement("hardware", [
        parentElement("general", [
          parameter("valueparameter", "workers", String(finished.workers)),
          parameter("valueparameter", "replicas", String(finished.replicas)),
          parameter("valueparameter", "threads", String(finished.threads)),
          parameter("comboparameter", "engine", finished.engine),
          parameter("comboparameter", "collective", finished.collective),
        ]),
      ]),
    ]),
  ]);
}

/** The activation of the hidden layers, each once, in order; of a network without any, the output's. */
export function activationText({ layers }: ModelSpec): string {
  const hidden = layers.slice(0, -1);
  return [
    ...new Set(
      (hidden.length > 0 ? hidden : layers).flatMap((layer) => ("activation" in layer ? [layer.activation] : [])),
    ),
  ].join(" ");
}

/** What names the data that was trained on; null: neither an option nor the document did. */
export function dataName({ object, dataName: given }: RunFacts): string | null {
  return given ?? textAt(partOf(object, "definition"), "data", "dataSchemaID");
}

/** ID of the input block. */
export function inputId({ object }: RunFacts): string {
  return textAt(partOf(object, "definition"), "structure", "input", "ID") ?? "Input";
}
