import { isBlank, normalElement } from "./normal-content.js";
import { childElements, type ObjectElement } from "./object-element.js";
import { vinnslShape } from "./object-shapes.js";
import { PART_ALIASES, PART_NAMES, type VinnslObject } from "./vinnsl-object.js";

/** A rule that a `<vinnsl>` breaks. */
export interface ObjectFault {
  readonly elementPath: string;
  /** The child that breaks it; null: the element itself. */
  readonly child: ObjectElement | null;
  readonly problem: string;
  readonly remedy: string;
}

/** @param fault makes the error for a broken rule: who read the document knows the place. @throws what `fault` makes */
export function checkedObject(root: ObjectElement, fault: (fault: ObjectFault) => Error): VinnslObject {
  const children = childElements(root);
  if (root.content.some((piece) => typeof piece === "string" && !isBlank(piece))) {
    const problem = "<vinnsl> holds text, where only elements belong";
    throw fault({ elementPath: "/vinnsl", child: null, problem, remedy: "Remove the text" });
  }
  for (const part of PART_NAMES) {
    const [first, second] = children.filter(({ name }) => PART_ALIASES[part].includes(name));
    if (first === undefined || second === undefined) continue;
    const isSame = first.name === second.name;
    const problem = isSame
      ? `<${second.name}> occurs more than once in <vinnsl>`
      : `<${first.name}> and <${second.name}> name the same part of <vinnsl>`;
    const elementPath = `/vinnsl/${second.name}${isSame ? "[2]" : ""}`;
    throw fault({ elementPath, child: second, problem, remedy: "Keep one of the two" });
  }
  return { root: normalElement(root, vinnslShape) };
}
