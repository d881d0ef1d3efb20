import { invalidAt } from "../document-error.js";
import type { JsonNode } from "./json-node.js";

/** What a value is, for messages. */
export function describeNode(node: JsonNode): string {
  const words = { object: "an object", array: "a list", string: "a string", number: "a number", boolean: "a flag" };
  return node.kind === "null" ? "null" : words[node.kind];
}

/** A `DOCUMENT_INVALID` error at a value. */
export function faultAt(node: JsonNode, elementPath: string, problem: string, remedy: string): Error {
  return invalidAt({ file: null, line: node.line, column: node.column, elementPath }, problem, remedy);
}
