import type { ObjectElement } from "./object-element.js";
import type { ListShape } from "./object-shape.js";

/** A child and the key that it stood under. */
export interface KeyedChild {
  readonly key: string;
  readonly element: ObjectElement;
}

/**
 * Children, grouped by key, in document order: as the keys in `order` say, one by one, as far as they do; the others
 * follow as they come. Without `order`, pairs that were given as two lists of one length (`fromblock: [a, b], toblock:
 * [b, c]`) become pairs again. Pure; O(children).
 */
export function inDocumentOrder(
  children: readonly KeyedChild[],
  order: readonly string[] | null,
  list: ListShape | null,
): ObjectElement[] {
  const ordered = order ?? pairOrder(children, list);
  if (ordered === null) return children.map(({ element }) => element);
  const groups = new Map<string, KeyedChild[]>();
  for (const child of children) {
    const group = groups.get(child.key);
    if (group === undefined) groups.set(child.key, [child]);
    else group.push(child);
  }
  const taken = new Map<string, number>();
  const placed = new Set<KeyedChild>();
  for (const key of ordered) {
    const index = taken.get(key) ?? 0;
    const child = groups.get(key)?.[index];
    if (child === undefined) continue;
    placed.add(child);
    taken.set(key, index + 1);
  }
  return [...placed, ...children.filter((child) => !placed.has(child))].map(({ element }) => element);
}

function pairOrder(children: readonly KeyedChild[], list: ListShape | null): readonly string[] | null {
  if (list?.item !== "named") return null;
  const [first, second] = list.members;
  if (first === undefined || second === undefined) return null;
  const count = children.filter(({ key }) => key === first).length;
  if (count < 2 || children.filter(({ key }) => key === second).length !== count) return null;
  return Array.from({ length: count }, () => [first, second]).flat();
}
