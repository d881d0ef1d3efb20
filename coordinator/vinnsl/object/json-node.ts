/** Where in a JSON text something stands; 1-based, columns in UTF-16 units. */
export interface JsonPlace {
  readonly line: number;
  readonly column: number;
}

/** A value of a JSON text, with its place. */
export type JsonNode = JsonPlace &
  (
    | { readonly kind: "object"; readonly members: ReadonlyMap<string, JsonNode> }
    | { readonly kind: "array"; readonly items: readonly JsonNode[] }
    | { readonly kind: "string"; readonly value: string }
    /** As written: a double might not tell it all. */
    | { readonly kind: "number"; readonly raw: string }
    | { readonly kind: "boolean"; readonly value: boolean }
    | { readonly kind: "null" }
  );
