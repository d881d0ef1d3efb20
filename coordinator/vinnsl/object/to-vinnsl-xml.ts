import { childElements, type ObjectElement } from "./object-element.js";
import type { VinnslObject } from "./vinnsl-object.js";

/** The object as an XML document, indented, UTF-8. `parseVinnslXml` gives the same object back. Pure; O(size). */
export function toVinnslXml({ root }: VinnslObject): string {
  return elementToXml(root);
}

/** A document with this root. Text is kept to the letter; only between children is there layout. */
export function elementToXml(root: ObjectElement): string {
  const pieces: string[] = ['<?xml version="1.0" encoding="UTF-8"?>\n'];
  write(root, "", pieces);
  return pieces.join("");
}

/** @param indent null: inside text, where layout would be text. */
function write(element: ObjectElement, indent: string | null, pieces: string[]): void {
  const { name, attributes, content } = element;
  const end = indent === null ? "" : "\n";
  pieces.push(indent ?? "", "<", name);
  for (const [attribute, value] of attributes) pieces.push(" ", attribute, '="', escapeAttribute(value), '"');
  if (content.length === 0) {
    pieces.push("/>", end);
    return;
  }
  const isLayout = indent !== null && childElements(element).length === content.length;
  pieces.push(isLayout ? ">\n" : ">");
  for (const piece of content) {
    if (typeof piece === "string") pieces.push(escapeText(piece));
    else write(piece, isLayout ? `${indent}  ` : null, pieces);
  }
  pieces.push(isLayout ? indent : "", "</", name, ">", end);
}

const references: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** A literal carriage return would be read as a line feed. */
function escapeText(text: string): string {
  return text.replace(/[&<>\r]/g, (character) => references[character] ?? "&#13;");
}

/** Literal tabs and line ends would be read as blanks. */
function escapeAttribute(text: string): string {
  return text.replace(/[&<>"\t\n\r]/g, (character) => references[character] ?? `&#${character.charCodeAt(0)};`);
}
