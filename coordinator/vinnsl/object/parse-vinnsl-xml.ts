import { invalidAt, quote, unsupportedAt } from "../document-error.js";
import { type DocumentLimits, readDocument } from "../read-document.js";
import type { XmlElement } from "../xml-element.js";
import { checkedObject } from "./checked-object.js";
import { isRefusedName } from "./element-name.js";
import { normalElement } from "./normal-content.js";
import { type ObjectElement, parentElement } from "./object-element.js";
import { shapeOfPart } from "./object-shapes.js";
import { PART_ALIASES, type PartName, type VinnslObject } from "./vinnsl-object.js";

/** Parts that a document may consist of alone. */
const bareParts: readonly PartName[] = ["description", "definition"];

/**
 * Reads a vinnsl object as XML: a `<vinnsl>`, or a bare `<definition>` or `<description>`, which becomes the part of one.
 * Only the form of the wrapper is checked; what the parts mean is `readNetwork`'s question. An `<nncloud>` is the
 * service's own and is left out. Pure; O(size).
 *
 * @throws RingstrasseError DOCUMENT_INVALID as `readDocument`, or with the element path; DOCUMENT_UNSUPPORTED: another root
 */
export function parseVinnslXml(bytes: Uint8Array, limits: DocumentLimits = {}): VinnslObject {
  const document = readDocument(bytes, null, limits);
  const element = objectElement(document);
  const isBare = bareParts.some((part) => part === document.name);
  if (!isBare && document.name !== "vinnsl") {
    const problem = `the root element is ${quote(`<${document.name}>`)}`;
    throw unsupportedAt(document.place, problem, ["<vinnsl>", ...bareParts.map((part) => `<${part}>`)]);
  }
  const whole = isBare ? parentElement("vinnsl", [element]) : element;
  const root = {
    ...whole,
    content: whole.content.filter((piece) => typeof piece === "string" || piece.name !== "nncloud"),
  };
  return checkedObject(root, ({ child, elementPath, problem, remedy }) => {
    const place = document.children.find((each) => each.place.elementPath === elementPath)?.place;
    const known = place ?? document.children.find(({ name }) => name === child?.name)?.place ?? document.place;
    return invalidAt(known, problem, remedy);
  });
}

/**
 * Reads one part as XML, under one of its names; it gets the name that it has in a `<vinnsl>`.
 *
 * @throws RingstrasseError DOCUMENT_INVALID as {@link parseVinnslXml}; DOCUMENT_UNSUPPORTED: another root
 */
export function parsePartXml(bytes: Uint8Array, part: PartName, limits: DocumentLimits = {}): ObjectElement {
  const document = readDocument(bytes, null, limits);
  const names = PART_ALIASES[part];
  if (!names.includes(document.name)) {
    const supported = names.map((name) => `<${name}>`);
    throw unsupportedAt(document.place, `the root element is ${quote(`<${document.name}>`)}`, supported);
  }
  return normalElement({ ...objectElement(document), name: part }, shapeOfPart(part));
}

function objectElement({ name, place, allAttributes, content }: XmlElement): ObjectElement {
  for (const refused of [name, ...allAttributes.keys()]) {
    if (isRefusedName(refused)) {
      throw invalidAt(place, `the name ${quote(refused)} is refused for safety`, "Choose another name");
    }
  }
  return {
    name,
    attributes: allAttributes,
    content: content.map((piece) => (typeof piece === "string" ? piece : objectElement(piece))),
  };
}
