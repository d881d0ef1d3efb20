import { numberOf, scalarOf } from "./json-scalar.js";
import { ATTRIBUTE_MARK, JSON_KEYS, type JsonObject, type JsonValue } from "./json-value.js";
import { childElements, type ObjectElement, textOf } from "./object-element.js";
import {
  keyOfChild,
  type ListShape,
  type ObjectShape,
  type Shape,
  shapeOfChild,
  type ValuedShape,
} from "./object-shape.js";

type Entries = (readonly [string, JsonValue])[];

/**
 * An element in normal form as existing clients read it, by its shape; what clients don't know of stands under keys that
 * none of them looks at. Nothing is lost: `elementFromJson` gives the same element back. Pure; O(size).
 */
export function elementToJson(element: ObjectElement, shape: Shape | null): JsonValue {
  if (needsContent(element, shape)) return contentForm(element, shape);
  const children = childElements(element);
  if (shape?.kind === "valued") return valuedForm(element, shape);
  if (children.length > 0) return parentForm(element, children, shape);
  const text = textOf(element);
  const attributes = attributeEntries(element, shape);
  if (shape?.kind === "object") {
    if (text !== "" && attributes.length === 0) return text;
    const own: Entries = text === "" ? emptyLists(shape) : [[JSON_KEYS.text, text]];
    return Object.fromEntries([...attributes, ...own]);
  }
  if (attributes.length > 0) return Object.fromEntries<JsonValue>([...attributes, [JSON_KEYS.text, text]]);
  return shape === null ? text : scalarOf(text, shape.kind);
}

/** As {@link elementToJson}, but an object whatever the element holds. */
export function elementToJsonObject(element: ObjectElement, shape: Shape | null): JsonObject {
  const json = elementToJson(element, shape);
  return typeof json === "string" ? { [JSON_KEYS.text]: json } : isObject(json) ? json : {};
}

function isObject(json: JsonValue): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** Text between children, and names that would mean something else as keys. */
function needsContent(element: ObjectElement, shape: Shape | null): boolean {
  const children = childElements(element);
  if (children.length === 0) return false;
  if (children.length < element.content.length || shape?.kind === "valued") return true;
  if (shape?.kind !== "object") return false;
  const taken = new Set([...shape.attributes, ...shape.keys.values()]);
  if (shape.list !== null) taken.add(shape.list.key);
  return children.some(({ name }) => taken.has(name));
}

function contentForm(element: ObjectElement, shape: Shape | null): JsonObject {
  const content = element.content.map((piece) => (typeof piece === "string" ? piece : namedForm(piece, shape)));
  return Object.fromEntries<JsonValue>([...attributeEntries(element, null), [JSON_KEYS.content, content]]);
}

function namedForm(child: ObjectElement, parentShape: Shape | null): JsonObject {
  const value = elementToJson(child, shapeOfChild(parentShape, child.name));
  return { [JSON_KEYS.name]: child.name, [JSON_KEYS.value]: value };
}

function attributeEntries({ attributes }: ObjectElement, shape: Shape | null): Entries {
  const plain = shape === null || shape.kind === "object" || shape.kind === "valued" ? (shape?.attributes ?? []) : [];
  return [...attributes].map(([name, value]) => [plain.includes(name) ? name : ATTRIBUTE_MARK + name, value]);
}

function valuedForm(element: ObjectElement, shape: ValuedShape): JsonObject {
  return Object.fromEntries<JsonValue>([
    ...attributeEntries(element, shape),
    ...valueEntries(textOf(element), shape.value),
  ]);
}

/** `value`, and `text` where the number alone would not tell it (`0.10`, `1e-4`). */
function valueEntries(text: string, kind: ValuedShape["value"]): Entries {
  const scalar = scalarOf(text, kind);
  const number = kind === "number" && typeof scalar === "string" ? numberOf(scalar) : null;
  return number === null
    ? [["value", scalar]]
    : [
        ["value", number],
        ["text", text],
      ];
}

function parentForm(element: ObjectElement, children: readonly ObjectElement[], shape: Shape | null): JsonObject {
  const groups = new Map<string, JsonValue[]>();
  const order: string[] = [];
  for (const child of children) {
    const key = keyOfChild(shape, child.name);
    const json = childForm(child, key, shape);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [json]);
    else group.push(json);
    order.push(key);
  }
  const entries: Entries = attributeEntries(element, shape);
  for (const [key, values] of groups) {
    const [only] = values;
    entries.push([key, only === undefined || values.length > 1 || isArrayKey(shape, key) ? values : only]);
  }
  if (shape?.kind === "object") entries.push(...emptyLists(shape).filter(([key]) => !groups.has(key)));
  const grouped = [...groups].flatMap(([key, values]) => values.map(() => key));
  if (grouped.some((key, index) => key !== order[index])) entries.push([JSON_KEYS.order, order]);
  return Object.fromEntries(entries);
}

function isArrayKey(shape: Shape | null, key: string): boolean {
  return shape?.kind === "object" && (shape.list?.key === key || shape.fields.get(key)?.repeated === true);
}

/** Lists that JAXB's classes always have. */
function emptyLists({ fields, list }: ObjectShape): Entries {
  const repeated = [...fields].filter(([, field]) => field.repeated).map(([name]) => name);
  return [...repeated, ...(list === null ? [] : [list.key])].map((key) => [key, []]);
}

function childForm(child: ObjectElement, key: string, shape: Shape | null): JsonValue {
  if (shape?.kind === "object" && shape.list?.key === key) return itemForm(child, shape.list, shape);
  return elementToJson(child, shapeOfChild(shape, child.name));
}

function itemForm(child: ObjectElement, list: ListShape, parentShape: Shape): JsonObject {
  const isLeaf = childElements(child).length === 0;
  const names = [...child.attributes.keys()];
  if (list.item === "named") {
    return isLeaf && names.length === 0 ? { name: child.name, value: textOf(child) } : namedForm(child, parentShape);
  }
  const shape = shapeOfChild(parentShape, child.name);
  if (list.item === "parameter") {
    const isPlain = isLeaf && shape?.kind === "valued" && names.every((name) => name === "name");
    return isPlain ? { ...valuedForm(child, shape), kind: child.name } : namedForm(child, parentShape);
  }
  const json = elementToJson(child, shape);
  if (!isObject(json) || Object.hasOwn(json, "kind")) return namedForm(child, parentShape);
  return { kind: child.name, ...json };
}
