import { parsePartJson } from "./parse-vinnsl-json.js";
import { parsePartXml } from "./parse-vinnsl-xml.js";
import { type PartName, type VinnslObject, withPart } from "./vinnsl-object.js";

/** The parts that `PUT /vinnsl/{id}/…` replaces, by the last piece of the path. */
export const PART_OF_ROUTE = {
  definition: "definition",
  instanceschema: "instance",
  resultschema: "result",
  trainingresult: "trainingresult",
} as const satisfies Record<string, PartName>;
export type PartRoute = keyof typeof PART_OF_ROUTE;

/** A document as it came. */
export interface DocumentBody {
  readonly bytes: Uint8Array;
  readonly format: "xml" | "json";
}

/**
 * The object with the part that the body holds in the place of the old one, if there was one. Pure.
 *
 * @throws RingstrasseError DOCUMENT_INVALID with the element path; DOCUMENT_UNSUPPORTED: XML with another root
 */
export function replacePart(object: VinnslObject, route: PartRoute, { bytes, format }: DocumentBody): VinnslObject {
  const part = PART_OF_ROUTE[route];
  const element = format === "xml" ? parsePartXml(bytes, part) : parsePartJson(bytes, part);
  return withPart(object, part, element);
}
