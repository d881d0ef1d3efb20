import { quote, unsupportedAt } from "./document-error.js";
import { checkElement, childOf, foldName, leafText } from "./element-rule.js";
import type { XmlElement } from "./xml-element.js";

/** What `<problemDomain>` says; null = it doesn't say. */
export interface ProblemReading {
  readonly problem: "classification" | "regression" | null;
  /** Folded, e.g. `backpropagation`. */
  readonly networkType: string | null;
}

const problems: ReadonlyMap<string, "classification" | "regression"> = new Map([
  ["classifiers", "classification" as const],
  ["deeplearning", "classification" as const],
  ["approximators", "regression" as const],
]);
const networkTypes = ["Backpropagation", "Perceptron", "CNN"];
const learningTypes = ["supervised", "trained"];

/**
 * Reads a `<problemDomain>`. `applicationField` is for people.
 *
 * @throws RingstrasseError DOCUMENT_UNSUPPORTED: a problem, network, propagation or learning type that can't be
 *   trained.
 */
export function readProblemDomain(element: XmlElement | undefined): ProblemReading {
  if (element === undefined) return { problem: null, networkType: null };
  const children = ["propagationType", "networkType", "problemType"];
  checkElement(element, { children, repeated: ["applicationField"] });
  checkPropagation(childOf(element, "propagationType"));
  const networkType = leafText(element, "networkType");
  if (networkType !== null && !networkTypes.some((known) => foldName(known) === foldName(networkType))) {
    const place = childOf(element, "networkType")?.place ?? element.place;
    throw unsupportedAt(place, `networkType is ${quote(networkType)}`, networkTypes);
  }
  const problemType = leafText(element, "problemType");
  const problem = problemType === null ? null : (problems.get(foldName(problemType)) ?? null);
  if (problemType !== null && problem === null) {
    const place = childOf(element, "problemType")?.place ?? element.place;
    throw unsupportedAt(place, `problemType is ${quote(problemType)}`, [
      "Classifiers",
      "Approximators",
      "DeepLearning",
    ]);
  }
  return { problem, networkType: networkType === null ? null : foldName(networkType) };
}

function checkPropagation(element: XmlElement | undefined): void {
  if (element === undefined) return;
  checkElement(element, { children: ["learningType"], attributes: ["type"] });
  const type = element.attributes.get("type") ?? "";
  if (type !== "" && foldName(type) !== "feedforward") {
    throw unsupportedAt(element.place, `the propagation type is ${quote(type)}`, ["feedforward"]);
  }
  const learning = leafText(element, "learningType");
  if (learning !== null && !learningTypes.includes(foldName(learning))) {
    const place = childOf(element, "learningType")?.place ?? element.place;
    throw unsupportedAt(place, `learningType is ${quote(learning)}`, learningTypes);
  }
}
