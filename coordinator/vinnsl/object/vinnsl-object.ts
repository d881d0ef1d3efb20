import { leafElement, type ObjectElement, withChild } from "./object-element.js";

/** The parts of a `<vinnsl>`, in the order in which the stack tells them. */
export const PART_NAMES = [
  "identifier",
  "description",
  "definition",
  "data",
  "instance",
  "trainingresult",
  "result",
] as const;
export type PartName = (typeof PART_NAMES)[number];

/** Names that documents in use give to a part, its own first. */
export const PART_ALIASES: Readonly<Record<PartName, readonly string[]>> = {
  identifier: ["identifier"],
  description: ["description"],
  definition: ["definition"],
  data: ["data", "dataschema"],
  instance: ["instance", "instanceschema"],
  trainingresult: ["trainingresult", "trainingresultschema"],
  result: ["result", "resultschema"],
};

/**
 * The stack's "vinnsl object": what `POST /vinnsl` takes and `GET /vinnsl/{id}` gives, all parts of one network. Plain
 * data, never changed in place. The service's own notes (`nncloud`) are no part of it.
 */
export interface VinnslObject {
  /** `<vinnsl>`: each part at most once, unknown elements where they stood. */
  readonly root: ObjectElement;
}

/** The part, under whichever of its names it stands. */
export function partOf({ root }: VinnslObject, part: PartName): ObjectElement | undefined {
  const names = PART_ALIASES[part];
  return root.content.find((piece): piece is ObjectElement => typeof piece !== "string" && names.includes(piece.name));
}

/** The object with this part, whose own name it must bear, in the place of the old one. */
export function withPart({ root }: VinnslObject, part: PartName, element: ObjectElement): VinnslObject {
  return { root: withChild(root, { ...element, name: part }, { names: PART_ALIASES[part], order: PART_NAMES }) };
}

/** The object under the name that the service knows it by. */
export function withIdentifier(object: VinnslObject, id: string): VinnslObject {
  return withPart(object, "identifier", leafElement("identifier", id));
}
