import { invalidAt, quote, unsupportedAt } from "./document-error.js";
import type { XmlElement } from "./xml-element.js";

/**
 * What an element may hold. Whatever is not listed is refused: an unknown element asks for something that can't be
 * done.
 */
export interface ElementRule {
  /** Child elements that may occur once. */
  readonly children?: readonly string[];
  /** Child elements that may occur any number of times. */
  readonly repeated?: readonly string[];
  readonly attributes?: readonly string[];
  /** True where text of its own is allowed, i.e. in leaves. */
  readonly text?: boolean;
}

/** Rule of an element that holds nothing but text. */
export const textOnly: ElementRule = { text: true };

/**
 * @throws RingstrasseError DOCUMENT_UNSUPPORTED: unknown child element or attribute; DOCUMENT_INVALID: a single element
 *   that is repeated, or text where only elements belong.
 */
export function checkElement(element: XmlElement, rule: ElementRule): void {
  const { children = [], repeated = [], attributes = [], text = false } = rule;
  const known = [...children, ...repeated];
  const seen = new Set<string>();
  for (const child of element.children) {
    const { name } = child;
    if (!known.includes(name)) {
      const supported =
        known.length === 0 ? [`no elements inside <${element.name}>`] : known.map((each) => `<${each}>`);
      throw unsupportedAt(child.place, `unknown element <${name}> in <${element.name}>`, supported);
    }
    if (seen.has(name) && children.includes(name)) {
      throw invalidAt(child.place, `<${name}> occurs more than once in <${element.name}>`, `Keep one <${name}>`);
    }
    seen.add(name);
  }
  for (const name of element.attributes.keys()) {
    if (attributes.includes(name)) continue;
    const supported = attributes.length === 0 ? [`no attributes on <${element.name}>`] : attributes;
    throw unsupportedAt(element.place, `unknown attribute ${quote(name)} on <${element.name}>`, supported);
  }
  if (!text && element.text !== "") {
    const problem = `<${element.name}> holds the text ${quote(element.text)}, where only elements belong`;
    throw invalidAt(element.place, problem, "Remove the text");
  }
}

/** The child of this name; undefined when there is none. */
export function childOf(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((child) => child.name === name);
}

/** All children of this name, in document order. */
export function childrenOf(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter((child) => child.name === name);
}

/** @throws RingstrasseError DOCUMENT_INVALID when there is no such child. */
export function requireChild(element: XmlElement, name: string): XmlElement {
  const child = childOf(element, name);
  if (child !== undefined) return child;
  throw invalidAt(element.place, `<${element.name}> has no <${name}>`, `Add a <${name}> element`);
}

/**
 * Text of the leaf child of this name; null when the child is absent or empty.
 *
 * @throws RingstrasseError when the child holds elements or attributes.
 */
export function leafText(element: XmlElement | undefined, name: string): string | null {
  const child = childOf(element, name);
  if (child === undefined) return null;
  checkElement(child, textOnly);
  return child.text === "" ? null : child.text;
}

/**
 * `true`, `false`, `1` or `0` in any case; null when absent or empty.
 *
 * @throws RingstrasseError DOCUMENT_INVALID on anything else.
 */
export function leafFlag(element: XmlElement | undefined, name: string): boolean | null {
  const child = childOf(element, name);
  const text = leafText(element, name)?.toLowerCase();
  if (child === undefined || text === undefined) return null;
  if (text === "true" || text === "1") return true;
  if (text === "false" || text === "0") return false;
  throw invalidAt(child.place, `<${name}> is ${quote(child.text)}`, "Write true or false");
}

/** Spelling folded: lower case, without blanks, `_` and `-`, so that `Deep Learning` is `DeepLearning`. */
export function foldName(name: string): string {
  return name.toLowerCase().replace(/[\s_-]+/g, "");
}
