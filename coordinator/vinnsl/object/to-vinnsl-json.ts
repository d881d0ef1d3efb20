import { elementToJsonObject } from "./element-to-json.js";
import { JSON_KEYS, type JsonObject, type JsonValue } from "./json-value.js";
import { shapeOfPart, vinnslShape } from "./object-shapes.js";
import { PART_NAMES, partOf, type VinnslObject } from "./vinnsl-object.js";

/** What the service notes about an object; in JSON only. */
export interface NnCloud {
  readonly status: string;
  /** The DL4J configuration stored with the object; null: none. */
  readonly dl4jNetwork: string | null;
}

/**
 * The object as clients of the stack read it: absent parts are null, lists are arrays even when empty, and `nncloud`
 * comes last. `parseVinnslJson` gives the same object back. Pure; O(size).
 */
export function toVinnslJson(object: VinnslObject, nncloud: NnCloud | null): JsonObject {
  const json = Object.entries(elementToJsonObject(object.root, vinnslShape));
  const told = new Map<string, JsonValue>(json);
  // The clients' viewers want objects: a part of nothing but text is one too.
  for (const part of PART_NAMES) {
    const element = partOf(object, part);
    if (element === undefined || typeof told.get(element.name) !== "string" || part === "identifier") continue;
    told.set(element.name, elementToJsonObject(element, shapeOfPart(part)));
  }
  if (!told.has(JSON_KEYS.content)) for (const part of PART_NAMES) if (!told.has(part)) told.set(part, null);
  told.set("nncloud", nncloud === null ? null : { ...nncloud });
  return Object.fromEntries(told);
}
