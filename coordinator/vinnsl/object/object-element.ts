/**
 * One element of a vinnsl object, known or not. Plain data, never changed in place. Comments, processing instructions
 * and prefixes of element names are gone; everything else of the document is here.
 */
export interface ObjectElement {
  /** Local name. */
  readonly name: string;
  /** By qualified name, in document order. */
  readonly attributes: ReadonlyMap<string, string>;
  /** Text and children in document order: no empty text, no two texts side by side, no layout between children. */
  readonly content: readonly (string | ObjectElement)[];
}

/** A leaf, without attributes. */
export function leafElement(name: string, text: string): ObjectElement {
  return { name, attributes: new Map(), content: text === "" ? [] : [text] };
}

/** An element without attributes. */
export function parentElement(name: string, children: readonly ObjectElement[]): ObjectElement {
  return { name, attributes: new Map(), content: children };
}

/** The child elements, in document order. */
export function childElements({ content }: ObjectElement): ObjectElement[] {
  return content.filter((piece) => typeof piece !== "string");
}

/** The first child of this name. */
export function findChild(element: ObjectElement | undefined, name: string): ObjectElement | undefined {
  return element === undefined ? undefined : childElements(element).find((child) => child.name === name);
}

/** The element's own text, children left out. */
export function textOf(element: ObjectElement | undefined): string {
  return element === undefined ? "" : element.content.filter((piece) => typeof piece === "string").join("");
}

/** Text of the leaf that these names lead to, blanks at its ends removed; null when it is absent, or blank. */
export function textAt(element: ObjectElement | undefined, ...names: readonly string[]): string | null {
  const found = names.reduce<ObjectElement | undefined>((parent, name) => findChild(parent, name), element);
  const text = textOf(found).trim();
  return text === "" ? null : text;
}

/**
 * The element with `child` in the place of its first child of one of these names (default: the child's own); further
 * children of these names go. Where there is none, the child goes in front of the first child that comes later in
 * `order`, else to the end.
 */
export function withChild(
  element: ObjectElement,
  child: ObjectElement,
  { names = [child.name], order = [] }: { readonly names?: readonly string[]; readonly order?: readonly string[] } = {},
): ObjectElement {
  const isReplaced = (piece: string | ObjectElement) => typeof piece !== "string" && names.includes(piece.name);
  const later = order.slice(order.indexOf(child.name) + 1);
  const isLater = (piece: string | ObjectElement) => typeof piece !== "string" && later.includes(piece.name);
  const replaced = element.content.findIndex(isReplaced);
  const inFrontOf = order.includes(child.name) ? element.content.findIndex(isLater) : -1;
  const at = replaced !== -1 ? replaced : inFrontOf !== -1 ? inFrontOf : element.content.length;
  const before = element.content.slice(0, at).filter((piece) => !isReplaced(piece));
  const after = element.content.slice(at).filter((piece) => !isReplaced(piece));
  return { ...element, content: [...before, child, ...after] };
}
