import { quote } from "../document-error.js";
import { checkedObject } from "./checked-object.js";
import { JsonElementReader } from "./json-element-reader.js";
import { describeNode, faultAt } from "./json-fault.js";
import type { JsonNode } from "./json-node.js";
import { normalElement } from "./normal-content.js";
import type { ObjectElement } from "./object-element.js";
import { shapeOfPart, vinnslShape } from "./object-shapes.js";
import { type JsonLimits, readJson } from "./read-json.js";
import { PART_ALIASES, PART_NAMES, type PartName, type VinnslObject } from "./vinnsl-object.js";

const elementLimits = { maxDepth: 64, maxElements: 200_000 };

/**
 * Reads a vinnsl object as JSON: as `toVinnslJson` writes it, as clients of the stack do (Jackson over JAXB classes), or
 * plainly by element names. What stands under `nncloud` is the service's own and is left out. Pure; O(size).
 *
 * @throws RingstrasseError DOCUMENT_INVALID with line and column and, unless it is outside the first key, the element path
 */
export function parseVinnslJson(bytes: Uint8Array, limits: JsonLimits = {}): VinnslObject {
  const document = readJson(bytes, { ...limits, rootPath: "/vinnsl" });
  const node = unwrapped(document, ["vinnsl"], "/vinnsl");
  checkParts(node);
  const members = new Map([...node.members].filter(([key]) => key !== "nncloud"));
  const reader = new JsonElementReader(elementLimits);
  const root = reader.element({ ...node, members }, "vinnsl", { shape: vinnslShape, path: "/vinnsl" });
  return checkedObject(root, ({ child, elementPath, problem, remedy }) =>
    faultAt(members.get(child?.name ?? "") ?? node, elementPath, problem, remedy),
  );
}

/**
 * Reads one part as JSON, bare or under one of its names.
 *
 * @throws RingstrasseError DOCUMENT_INVALID as {@link parseVinnslJson}
 */
export function parsePartJson(bytes: Uint8Array, part: PartName, limits: JsonLimits = {}): ObjectElement {
  const path = `/${part}`;
  const node = unwrapped(readJson(bytes, { ...limits, rootPath: path }), PART_ALIASES[part], path);
  const shape = shapeOfPart(part);
  return normalElement(new JsonElementReader(elementLimits).element(node, part, { shape, path }), shape);
}

/** The object itself, or the one that it holds under one of these names alone. */
function unwrapped(node: JsonNode, names: readonly string[], path: string): Extract<JsonNode, { kind: "object" }> {
  if (node.kind !== "object") throw faultAt(node, path, `the document is ${describeNode(node)}`, "Send an object: {…}");
  const [only, second] = node.members;
  if (only === undefined || second !== undefined || !names.includes(only[0]) || only[1].kind === "null") return node;
  return unwrapped(only[1], [], path);
}

function checkParts({ members }: Extract<JsonNode, { kind: "object" }>): void {
  for (const part of PART_NAMES) {
    for (const name of PART_ALIASES[part]) {
      const node = members.get(name);
      if (node === undefined || node.kind === "null") continue;
      const isWrong = part === "identifier" ? node.kind === "object" || node.kind === "array" : node.kind !== "object";
      if (!isWrong) continue;
      const remedy = part === "identifier" ? "Give a string" : "Give an object: {…}";
      throw faultAt(node, `/vinnsl/${name}`, `${quote(name)} is ${describeNode(node)}`, remedy);
    }
  }
}
