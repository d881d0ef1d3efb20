import type { ObjectElement } from "./object-element.js";
import { type Shape, shapeOfChild } from "./object-shape.js";

/**
 * The element in its normal form, so that equal meaning is equal data: layout between children is gone; numbers and
 * flags are without blanks around them (XML Schema collapses those); text stands in one piece. All other text is kept
 * to the letter. Pure.
 */
export function normalElement(element: ObjectElement, shape: Shape | null): ObjectElement {
  const content = mergeText(element.content);
  const hasChildren = content.some((piece) => typeof piece !== "string");
  const isMixed = hasChildren && content.some((piece) => typeof piece === "string" && !isBlank(piece));
  const kept = content.flatMap((piece): (string | ObjectElement)[] => {
    if (typeof piece !== "string") return [normalElement(piece, shapeOfChild(shape, piece.name))];
    if (isMixed) return [piece];
    const text = hasChildren ? "" : leafText(piece, shape);
    return text === "" ? [] : [text];
  });
  return { ...element, content: kept };
}

/** Nothing but blanks of XML. */
export function isBlank(text: string): boolean {
  return /^[ \t\r\n]*$/.test(text);
}

function leafText(text: string, shape: Shape | null): string {
  if (shape === null || shape.kind === "text") return text;
  if (shape.kind === "object") return isBlank(text) ? "" : text;
  const kind = shape.kind === "valued" ? shape.value : shape.kind;
  return kind === "text" ? text : text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
}

function mergeText(content: ObjectElement["content"]): ObjectElement["content"] {
  const merged: (string | ObjectElement)[] = [];
  let pending: string[] = [];
  const flush = () => {
    const text = pending.join("");
    if (text !== "") merged.push(text);
    pending = [];
  };
  for (const piece of content) {
    if (typeof piece === "string") {
      pending.push(piece);
      continue;
    }
    flush();
    merged.push(piece);
  }
  flush();
  return merged;
}
