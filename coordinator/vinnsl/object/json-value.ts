/** What `JSON.stringify` takes. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/**
 * Keys that no element or attribute may have: they are what JSON clients look a value up by.
 * `@name`: attribute; `#text`: text beside attributes; `#order`: keys of the children one by one, where they aren't in
 * groups; `#content`: texts and `{#name, #value}` in order, for what no other form can tell.
 */
export const JSON_KEYS = {
  text: "#text",
  order: "#order",
  content: "#content",
  name: "#name",
  value: "#value",
} as const;

/** Starts the key of an attribute. */
export const ATTRIBUTE_MARK = "@";
