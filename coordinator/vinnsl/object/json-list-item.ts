import { quote } from "../document-error.js";
import { describeNode, faultAt } from "./json-fault.js";
import type { JsonNode } from "./json-node.js";
import { numberOf } from "./json-scalar.js";
import type { ListShape } from "./object-shape.js";

type ObjectNode = Extract<JsonNode, { kind: "object" }>;

/** What an item of a list says: an element of this name, told by this node. */
export interface ItemSource {
  readonly element: string;
  readonly node: JsonNode;
  /** Its attribute `name`; null: none. */
  readonly name: JsonNode | null;
}

/** What Jackson writes of a `JAXBElement` beside its name and value; says nothing. */
const wrapperKeys = ["declaredType", "scope", "nil", "globalScope", "typeSubstituted"];

/** @throws RingstrasseError DOCUMENT_INVALID */
export function readItem(node: ObjectNode, list: ListShape, path: string): ItemSource {
  if (list.item === "kind") return readKind(node, list, path);
  const keys = list.item === "parameter" ? ["name", "value", "kind", "text"] : ["name", "value", ...wrapperKeys];
  for (const key of node.members.keys()) {
    if (keys.includes(key)) continue;
    const remedy = `Give ${keys.slice(0, 2).join(" and ")}${list.item === "parameter" ? ", and kind" : ""}`;
    throw faultAt(node, path, `unknown key ${quote(key)} in an item of ${list.key}`, remedy);
  }
  const value = node.members.get("value") ?? { ...placeOf(node), kind: "string", value: "" };
  if (value.kind === "object" || value.kind === "array") {
    throw faultAt(value, path, `the value is ${describeNode(value)}`, "Give a string, a number or a flag");
  }
  const scalar: JsonNode = value.kind === "null" ? { ...placeOf(value), kind: "string", value: "" } : value;
  const name = node.members.get("name") ?? null;
  if (list.item === "named") return { element: memberName(node, name, list, path), node: scalar, name: null };
  if (name !== null && name.kind !== "null" && name.kind !== "string") {
    throw faultAt(name, path, `the name is ${describeNode(name)}`, "Give a string");
  }
  const text = node.members.get("text");
  const members = new Map<string, JsonNode>([["value", scalar]]);
  if (text !== undefined) members.set("text", text);
  return {
    element: parameterKind(node, scalar, list, path),
    node: { ...placeOf(node), kind: "object", members },
    name: name?.kind === "null" ? null : name,
  };
}

function placeOf({ line, column }: JsonNode): { line: number; column: number } {
  return { line, column };
}

/** Clients of the stack don't know of `kind`: then the value's type says it. */
function parameterKind(node: ObjectNode, value: JsonNode, list: ListShape, path: string): string {
  const kind = node.members.get("kind");
  if (kind !== undefined && kind.kind !== "null") return memberName(node, kind, list, path);
  if (value.kind === "boolean") return "boolparameter";
  if (value.kind === "number") return "valueparameter";
  return value.kind === "string" && numberOf(value.value) !== null ? "valueparameter" : "comboparameter";
}

function memberName(node: ObjectNode, name: JsonNode | null, list: ListShape, path: string): string {
  if (name?.kind === "string" && list.members.includes(name.value)) return name.value;
  const found = name === null ? "missing" : name.kind === "string" ? quote(name.value) : describeNode(name);
  const key = list.item === "named" ? "name" : "kind";
  throw faultAt(name ?? node, path, `${key} is ${found}`, `Give one of: ${list.members.join(", ")}`);
}

function readKind(node: ObjectNode, list: ListShape, path: string): ItemSource {
  const kind = node.members.get("kind");
  const members = new Map([...node.members].filter(([key]) => key !== "kind"));
  const rest: JsonNode = { ...placeOf(node), kind: "object", members };
  if (kind !== undefined) return { element: memberName(node, kind, list, path), node: rest, name: null };
  // Clients of the stack don't know of `kind`: then the keys say it.
  const isShortcut = [...members.keys()].some((key) => key.startsWith("fromneuron") || key.startsWith("toneuron"));
  const element = list.members.find((name) => (name === "shortcuts") === isShortcut);
  return { element: element ?? memberName(node, null, list, path), node: rest, name: null };
}
