import { quote } from "../document-error.js";
import { isAttributeName, isElementName, isRefusedName, strangeCharacter } from "./element-name.js";
import { inDocumentOrder, type KeyedChild } from "./json-child-order.js";
import { describeNode, faultAt } from "./json-fault.js";
import { type ItemSource, readItem } from "./json-list-item.js";
import type { JsonNode } from "./json-node.js";
import { standsFor, textOfNumber } from "./json-scalar.js";
import { ATTRIBUTE_MARK, JSON_KEYS } from "./json-value.js";
import { leafElement, type ObjectElement } from "./object-element.js";
import { type ListShape, type Shape, shapeOfChild } from "./object-shape.js";

export interface ElementLimits {
  /** Elements inside one another. */
  readonly maxDepth: number;
  readonly maxElements: number;
}

/** What the members of an object say of one element, before they are put in order. */
interface Draft {
  readonly attributes: Map<string, string>;
  readonly children: KeyedChild[];
  text: string | null;
}

interface Position {
  readonly shape: Shape | null;
  /** Element path, e.g. `/vinnsl/definition/structure/hidden[2]`. */
  readonly path: string;
}

/** Reads elements of one JSON document, the reverse of `elementToJson`; for one document, one after the other. */
export class JsonElementReader {
  readonly #limits: ElementLimits;
  #depth = 0;
  #elements = 0;

  constructor(limits: ElementLimits) {
    this.#limits = limits;
  }

  /** @throws RingstrasseError DOCUMENT_INVALID with line, column and element path */
  element(node: JsonNode, name: string, { shape, path }: Position): ObjectElement {
    this.#checkName(node, name, path);
    this.#elements += 1;
    if (this.#elements > this.#limits.maxElements) {
      const remedy = "Keep tables of data in a file of their own and name it by dataSchemaID";
      throw faultAt(node, path, `the document has more than ${this.#limits.maxElements} elements`, remedy);
    }
    if (node.kind !== "object") return leafElement(name, this.#scalar(node, path));
    this.#depth += 1;
    if (this.#depth > this.#limits.maxDepth) {
      const problem = `elements are nested deeper than ${this.#limits.maxDepth} levels`;
      throw faultAt(node, path, problem, "Remove levels; ViNNSL needs no more than a dozen");
    }
    const element = this.#object(node, name, { shape, path });
    this.#depth -= 1;
    return element;
  }

  #object(node: ObjectNode, name: string, position: Position): ObjectElement {
    const { members } = node;
    const { path } = position;
    const draft: Draft = { attributes: new Map(), children: [], text: null };
    for (const [key, member] of members) {
      if (member.kind !== "null") this.#member(draft, { key, member, node }, position);
    }
    const { attributes, children, text } = draft;
    const explicit = members.get(JSON_KEYS.content);
    if (explicit !== undefined && explicit.kind !== "null") {
      if (children.length > 0 || text !== null) {
        const problem = `children or a text stand beside ${JSON_KEYS.content}, which tells them all`;
        throw faultAt(explicit, path, problem, "Move them into it, or remove it");
      }
      return { name, attributes, content: this.#content(explicit, position) };
    }
    if (text !== null && text !== "" && children.length > 0) {
      const problem = "the element has a text and children";
      throw faultAt(node, path, problem, `Remove one of the two, or give both in ${JSON_KEYS.content}, in order`);
    }
    if (children.length === 0) return { ...leafElement(name, text ?? ""), attributes };
    const list = position.shape?.kind === "object" ? position.shape.list : null;
    return { name, attributes, content: inDocumentOrder(children, this.#order(members, path), list) };
  }

  #member(
    draft: Draft,
    { key, member, node }: { readonly key: string; readonly member: JsonNode; readonly node: ObjectNode },
    { shape, path }: Position,
  ): void {
    const plain = shape?.kind === "object" || shape?.kind === "valued" ? shape.attributes : [];
    if (key.startsWith(ATTRIBUTE_MARK) || (plain.includes(key) && !node.members.has(JSON_KEYS.content))) {
      const attribute = key.startsWith(ATTRIBUTE_MARK) ? key.slice(ATTRIBUTE_MARK.length) : key;
      this.#attribute(draft, member, attribute, path);
    } else if (key === JSON_KEYS.text) {
      draft.text = this.#scalar(member, path);
    } else if (shape?.kind === "valued" && (key === "value" || key === "text")) {
      if (key === "value") draft.text = this.#valued(member, node.members.get("text"), path);
    } else if (shape?.kind === "object" && shape.list?.key === key) {
      draft.children.push(...this.#items(member, shape.list, { shape, path }));
    } else if (key !== JSON_KEYS.content && key !== JSON_KEYS.order) {
      const children = this.#children(member, elementNameOf(key, shape, node), { shape, path });
      draft.children.push(...children.map((element) => ({ key, element })));
    }
  }

  #attribute(draft: Draft, node: JsonNode, name: string, path: string): void {
    if (isRefusedName(name)) throw refusedName(node, path, name);
    if (!isAttributeName(name)) {
      throw faultAt(node, path, `${quote(name)} can't be the name of an attribute`, "Give a name that XML allows");
    }
    if (draft.attributes.has(name)) {
      throw faultAt(node, path, `the attribute ${quote(name)} is given twice`, "Keep one of the two");
    }
    draft.attributes.set(name, this.#scalar(node, path));
  }

  #children(node: JsonNode, name: string, { shape, path }: Position): ObjectElement[] {
    const childShape = shapeOfChild(shape, name);
    const nodes = node.kind === "array" ? node.items : [node];
    return nodes.map((item, index) => {
      const childPath = `${path}/${name}${nodes.length > 1 ? `[${index + 1}]` : ""}`;
      return this.element(item, name, { shape: childShape, path: childPath });
    });
  }

  #items(node: JsonNode, list: ListShape, { shape, path }: Position): KeyedChild[] {
    if (node.kind !== "array") {
      throw faultAt(
        node,
        `${path}/${list.key}`,
        `${list.key} is ${describeNode(node)}, not a list`,
        "Give a list: […]",
      );
    }
    return node.items.map((item, index) => {
      const itemPath = `${path}/${list.key}[${index + 1}]`;
      if (item.kind !== "object") {
        throw faultAt(item, itemPath, `an item of ${list.key} is ${describeNode(item)}`, "Give an object: {…}");
      }
      return { key: list.key, element: this.#item(item, list, { shape, path: itemPath }) };
    });
  }

  #item(node: ObjectNode, list: ListShape, position: Position): ObjectElement {
    if (node.members.has(JSON_KEYS.name)) return this.#named(node, position);
    const source: ItemSource = readItem(node, list, position.path);
    const shape = shapeOfChild(position.shape, source.element);
    const element = this.element(source.node, source.element, { shape, path: position.path });
    if (source.name === null) return element;
    return { ...element, attributes: new Map([["name", this.#scalar(source.name, position.path)]]) };
  }

  #content(node: JsonNode, { shape, path }: Position): (string | ObjectElement)[] {
    if (node.kind !== "array") {
      throw faultAt(node, path, `${JSON_KEYS.content} is ${describeNode(node)}, not a list`, "Give a list: […]");
    }
    return node.items.map((item, index) => {
      const itemPath = `${path}/${JSON_KEYS.content}[${index + 1}]`;
      return item.kind === "object" ? this.#named(item, { shape, path: itemPath }) : this.#scalar(item, itemPath);
    });
  }

  /** `{#name, #value}` */
  #named(node: ObjectNode, { shape, path }: Position): ObjectElement {
    const name = node.members.get(JSON_KEYS.name);
    const value = node.members.get(JSON_KEYS.value);
    if (name?.kind !== "string" || value === undefined || node.members.size !== 2) {
      const problem = `an element told by name is not {"${JSON_KEYS.name}": …, "${JSON_KEYS.value}": …}`;
      throw faultAt(node, path, problem, "Give the two keys and no others");
    }
    return this.element(value, name.value, { shape: shapeOfChild(shape, name.value), path });
  }

  #order(members: ReadonlyMap<string, JsonNode>, path: string): readonly string[] | null {
    const node = members.get(JSON_KEYS.order);
    if (node === undefined || node.kind === "null") return null;
    const names =
      node.kind === "array" ? node.items.flatMap((item) => (item.kind === "string" ? [item.value] : [])) : [];
    if (node.kind === "array" && names.length === node.items.length) return names;
    throw faultAt(node, path, `${JSON_KEYS.order} is not a list of keys`, "Give a list of strings, or remove it");
  }

  /** The number's text where it is told beside it; a text that stands for another number is out of date. */
  #valued(node: JsonNode, textNode: JsonNode | undefined, path: string): string {
    const value = this.#scalar(node, path);
    if (node.kind !== "number" || textNode?.kind !== "string") return value;
    return standsFor(textNode.value, Number(node.raw)) ? textNode.value : value;
  }

  #scalar(node: JsonNode, path: string): string {
    if (node.kind === "boolean") return String(node.value);
    if (node.kind === "number") {
      const text = textOfNumber(node.raw);
      if (text !== null) return text;
      throw faultAt(
        node,
        path,
        `the number ${quote(node.raw)} is out of range`,
        "Give a number of 64 bits, or a string",
      );
    }
    if (node.kind !== "string") {
      const problem = `${describeNode(node)} stands where a string, a number or a flag belongs`;
      throw faultAt(node, path, problem, "Give one of these; for nothing, leave the key out");
    }
    const strange = strangeCharacter(node.value);
    if (strange === null) return node.value;
    throw faultAt(node, path, `the character ${strange} is not allowed in XML`, "Remove it");
  }

  #checkName(node: JsonNode, name: string, path: string): void {
    if (isRefusedName(name)) throw refusedName(node, path, name);
    if (isElementName(name)) return;
    throw faultAt(node, path, `${quote(name)} can't be the name of an element`, "Give a key that XML allows as a name");
  }
}

type ObjectNode = Extract<JsonNode, { kind: "object" }>;

/** A key that stands for another name (`id` for `ID`) does so unless that name is there too. */
function elementNameOf(key: string, shape: Shape | null, { members }: ObjectNode): string {
  if (shape?.kind !== "object" || members.has(JSON_KEYS.content)) return key;
  for (const [name, other] of shape.keys) if (other === key && !members.has(name)) return name;
  return key;
}

function refusedName(node: JsonNode, path: string, name: string): Error {
  return faultAt(node, path, `the name ${quote(name)} is refused for safety`, "Choose another name");
}
