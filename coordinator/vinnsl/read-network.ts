import type { Activation } from "../../shared/model-spec.js";
import { checkDescription, checkWithinDescription } from "./check-description.js";
import { invalidAt, quote, unsupportedAt } from "./document-error.js";
import { checkElement, childOf, foldName, leafFlag, leafText, requireChild } from "./element-rule.js";
import type { HiddenBlock, NetworkDefinition } from "./network-definition.js";
import { readDocument } from "./read-document.js";
import { readExecution } from "./read-execution.js";
import { readParameters } from "./read-parameters.js";
import type { ProblemReading } from "./read-problem-domain.js";
import { readProblemDomain } from "./read-problem-domain.js";
import { readStructure, type StructureReading } from "./read-structure.js";
import type { XmlElement } from "./xml-element.js";

/**
 * Parts of a `<vinnsl>` that training neither needs nor checks: earlier results, stored data, the service's own
 * notes.
 */
const otherParts = [
  "data",
  "dataschema",
  "instance",
  "instanceschema",
  "trainingresult",
  "trainingresultschema",
  "result",
  "resultschema",
  "nncloud",
];

/** Of hidden blocks that have none of their own: sigmoid, classically; relu in networks with convolutions, as the known dialect has it. */
function activationOf(block: HiddenBlock, { hidden }: StructureReading, ofAll: Activation | null): Activation | null {
  const kind = block.layer?.kind;
  if (kind !== undefined && kind !== "conv2d" && kind !== "activation") return null;
  const usual = hidden.some(({ layer }) => layer?.kind === "conv2d") ? "relu" : "sigmoid";
  return block.activation ?? ofAll ?? usual;
}

/**
 * Reads a ViNNSL document, a whole `<vinnsl>` or a bare `<definition>`. Lenient towards the shapes that published
 * documents have against their schemas; strict about meaning: what isn't understood or can't be done is an error,
 * never ignored. Pure.
 *
 * @param file as the user named it, for messages; null when the document came from elsewhere.
 * @throws RingstrasseError DOCUMENT_INVALID or DOCUMENT_UNSUPPORTED, with line and column and, unless the markup
 *   itself is broken, the element path
 */
export function readNetwork(bytes: Uint8Array, file: string | null): NetworkDefinition {
  const root = readDocument(bytes, file);
  const { definition, description } = partsOf(root);
  if (description !== undefined) checkDescription(description);
  checkDefinition(definition);
  const problemReading = readProblem(definition, description);
  const structure = readStructure(requireChild(definition, "structure"));
  checkWithinDescription(structure.written, childOf(description, "structure"));
  const { parameters, activation, warnings } = readParameters(childOf(definition, "parameters"));
  const identifier =
    leafText(definition, "identifier") ??
    (root === definition ? null : leafText(root, "identifier")) ??
    leafText(description, "identifier");
  return {
    identifier,
    name: readName(description) ?? readName(definition) ?? identifier,
    problem: problemReading.problem,
    input: structure.input,
    hidden: structure.hidden.map((block) => ({ ...block, activation: activationOf(block, structure, activation) })),
    output: { ...structure.output, activation: structure.outputActivation },
    parameters,
    execution: readExecution(childOf(definition, "executionEnvironment")),
    dataSchemaId: leafText(childOf(definition, "data"), "dataSchemaID"),
    warnings: [...warnAboutParts(root), ...problemReading.warnings, ...structure.warnings, ...warnings],
  };
}

function partsOf(root: XmlElement): { definition: XmlElement; description: XmlElement | undefined } {
  if (root.name === "definition") return { definition: root, description: undefined };
  if (root.name !== "vinnsl") {
    throw unsupportedAt(root.place, `the root element is <${root.name}>`, ["<vinnsl>", "<definition>"]);
  }
  checkElement(root, { children: ["identifier", "description", "definition", ...otherParts] });
  return { definition: requireChild(root, "definition"), description: childOf(root, "description") };
}

function checkDefinition(definition: XmlElement): void {
  checkElement(definition, {
    children: [
      "identifier",
      "metadata",
      "creator",
      "problemDomain",
      "endpoints",
      "executionEnvironment",
      "structure",
      "resultSchema",
      "parameters",
      "data",
      "instanceSchemaID",
    ],
  });
  const resultSchema = childOf(definition, "resultSchema");
  if (resultSchema !== undefined) checkElement(resultSchema, { children: ["instance", "training"] });
  for (const name of ["instance", "training"]) leafFlag(resultSchema, name);
  const data = childOf(definition, "data");
  if (data !== undefined) checkElement(data, { children: ["description", "dataSchemaID"] });
  const instance = leafText(definition, "instanceSchemaID");
  if (instance !== null) {
    const place = childOf(definition, "instanceSchemaID")?.place ?? definition.place;
    throw unsupportedAt(place, `going on from the weights of instance ${quote(instance)} is not possible`, [
      "training from fresh weights: no or an empty <instanceSchemaID>",
    ]);
  }
  checkEndpoints(childOf(definition, "endpoints"));
}

/** The schema wants the text `train` or `retrain`; documents in use have `<train>true</train>` instead, or nothing. */
function checkEndpoints(endpoints: XmlElement | undefined): void {
  if (endpoints === undefined) return;
  checkElement(endpoints, { children: ["train", "retrain", "evaluate"], text: endpoints.children.length === 0 });
  const named = endpoints.text.split(/[\s,;|]+/).filter((word) => word !== "");
  const unknown = named.find((word) => !["train", "retrain", "evaluate"].includes(foldName(word)));
  if (unknown !== undefined) {
    throw unsupportedAt(endpoints.place, `unknown endpoint ${quote(unknown)}`, ["train", "retrain", "evaluate"]);
  }
  const flags = ["train", "retrain", "evaluate"].filter((name) => leafFlag(endpoints, name) === true);
  if (endpoints.children.length === 0 && named.length === 0) return;
  if (flags.includes("train") || named.some((word) => foldName(word) === "train")) return;
  throw unsupportedAt(endpoints.place, "the definition's endpoints leave out train", ["train", "no <endpoints>"]);
}

function readName(part: XmlElement | undefined): string | null {
  const metadata = childOf(part, "metadata");
  const creator = childOf(part, "creator");
  if (metadata !== undefined) checkElement(metadata, { children: ["paradigm", "name", "description", "version"] });
  const version = childOf(metadata, "version");
  if (version !== undefined)
    checkElement(version, { children: ["major", "minor"], text: version.children.length === 0 });
  if (creator !== undefined) checkElement(creator, { children: ["name", "contact"] });
  return leafText(metadata, "name");
}

/** The definition's own problem domain; what it leaves open, the description's. */
function readProblem(
  definition: XmlElement,
  description: XmlElement | undefined,
): { problem: NetworkDefinition["problem"]; warnings: string[] } {
  const element = childOf(definition, "problemDomain");
  const own = readProblemDomain(element);
  const described = readProblemDomain(childOf(description, "problemDomain"));
  for (const name of ["problem", "networkType"] as const satisfies (keyof ProblemReading)[]) {
    if (own[name] === null || described[name] === null || own[name] === described[name]) continue;
    const place = (childOf(element, name === "problem" ? "problemType" : name) ?? element ?? definition).place;
    const problem =
      `the definition's ${name === "problem" ? "problemType" : name} means ${own[name]}, ` +
      `its description's (${description?.place.elementPath ?? ""}/problemDomain) ${described[name]}`;
    throw invalidAt(place, problem, "Make the two agree");
  }
  const problem = own.problem ?? described.problem;
  if (problem !== null) return { problem, warnings: [] };
  const where = (element ?? definition).place.elementPath;
  return { problem: "classification", warnings: [`${where}: there is no problemType; Classifiers is taken`] };
}

function warnAboutParts(root: XmlElement): string[] {
  if (root.name !== "vinnsl") return [];
  return ["instance", "instanceschema"].flatMap((name) => {
    const element = childOf(root, name);
    if (element === undefined || (element.children.length === 0 && element.text === "")) return [];
    return [`${element.place.elementPath}: its weights are not used; training starts from fresh ones`];
  });
}
