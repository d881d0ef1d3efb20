/** Kinds of text, by the schemas. `text` keeps its blanks. */
export type TextKind = "text" | "number" | "flag";

/**
 * What the schemas say of an element, and so how the stack's JSON (Jackson over JAXB classes) tells it. An element
 * without a shape is told generically.
 */
export type Shape = { readonly kind: TextKind } | ValuedShape | ObjectShape;

/** Text with attributes: `{ value, name }`. */
export interface ValuedShape {
  readonly kind: "valued";
  readonly value: TextKind;
  readonly attributes: readonly string[];
}

/** An element of elements. */
export interface ObjectShape {
  readonly kind: "object";
  /** Attributes that bear their plain name in JSON; all others start with `@`. */
  readonly attributes: readonly string[];
  readonly fields: ReadonlyMap<string, Field>;
  /** Children that JSON tells under one key, in one list. */
  readonly list: ListShape | null;
  /** Element name → key in JSON, where they differ. */
  readonly keys: ReadonlyMap<string, string>;
}

export interface Field {
  readonly shape: Shape;
  /** An array even when there is one, or none. */
  readonly repeated: boolean;
}

export interface ListShape {
  readonly key: string;
  readonly members: readonly string[];
  /**
   * `parameter`: `{name: attribute, value: text, kind: element}`; `named`: `{name: element, value: text}`; `kind`: the
   * child's own object with its element name as `kind`.
   */
  readonly item: "parameter" | "named" | "kind";
}

/** The shape of a child; null: unknown. */
export function shapeOfChild(shape: Shape | null, name: string): Shape | null {
  return shape?.kind === "object" ? (shape.fields.get(name)?.shape ?? null) : null;
}

/** The key that children of this name stand under. */
export function keyOfChild(shape: Shape | null, name: string): string {
  if (shape?.kind !== "object") return name;
  if (shape.list?.members.includes(name) === true) return shape.list.key;
  return shape.keys.get(name) ?? name;
}
