import { foldName } from "../element-rule.js";
import { childElements, findChild, type ObjectElement, parentElement, withChild } from "./object-element.js";
import { partOf, type VinnslObject, withPart } from "./vinnsl-object.js";

/** The object with this parameter in its definition, in the place of those of the same name; an object without a definition stays. Pure. */
export function withParameter(object: VinnslObject, name: string, value: string): VinnslObject {
  const definition = partOf(object, "definition");
  if (definition === undefined) return object;
  const parameters = findChild(definition, "parameters") ?? parentElement("parameters", []);
  const key = foldName(name);
  const others = childElements(parameters).filter((each) => foldName(each.attributes.get("name") ?? "") !== key);
  const given: ObjectElement = { name: "valueparameter", attributes: new Map([["name", name]]), content: [value] };
  return withPart(object, "definition", withChild(definition, { ...parameters, content: [...others, given] }));
}
