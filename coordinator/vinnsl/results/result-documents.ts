import { normalElement } from "../object/normal-content.js";
import type { ObjectElement } from "../object/object-element.js";
import { shapeOfPart } from "../object/object-shapes.js";
import { elementToXml } from "../object/to-vinnsl-xml.js";
import { PART_ALIASES, type VinnslObject, withPart } from "../object/vinnsl-object.js";
import { instanceSchema } from "./instance-schema.js";
import { resultSchema } from "./result-schema.js";
import type { RunFacts } from "./run-facts.js";
import { trainingResult } from "./training-result.js";

/** The parts that a run gives its object, in order. */
export const RESULT_PARTS = ["instance", "trainingresult", "result"] as const;
export type ResultPart = (typeof RESULT_PARTS)[number];

/** A part of an object that a run makes. */
export interface ResultDocument {
  readonly part: ResultPart;
  /** Under the name that the schemas have for it alone. */
  readonly element: ObjectElement;
}

/** What a finished run gives its object. Pure. @throws RangeError when weights and model don't fit */
export function resultDocuments(facts: RunFacts): ResultDocument[] {
  const make = { instance: instanceSchema, trainingresult: trainingResult, result: resultSchema };
  return RESULT_PARTS.map((part) => ({ part, element: normalElement(make[part](facts), shapeOfPart(part)) }));
}

/** As a document of its own, XML in UTF-8, valid against its schema. */
export function documentXml({ element }: ResultDocument): string {
  return elementToXml(element);
}

/** The object with these parts attached, in the place of those of an earlier run. */
export function attachResults(object: VinnslObject, documents: readonly ResultDocument[]): VinnslObject {
  return documents.reduce((attached, { part, element }) => withPart(attached, part, element), object);
}

/** The file that a part is kept in beside the object, e.g. `resultschema.xml`. */
export function documentFileName(part: ResultPart): string {
  return part === "trainingresult" ? "trainingresult.xml" : `${PART_ALIASES[part].at(-1) ?? part}.xml`;
}
