/** The elements that are open at some place of a document, outermost first, while it is read from its start. */
export class OpenElements {
  readonly #open: OpenElement[] = [];
  /** Of the root and what might stand beside it. */
  readonly #outside = new Map<string, number>();

  get depth(): number {
    return this.#open.length;
  }

  get innermost(): Pick<OpenElement, "name" | "offset"> | null {
    return this.#open.at(-1) ?? null;
  }

  /** A start tag. @param name with its prefix. @param offset of the tag */
  enter(name: string, offset: number): void {
    this.#open.push({ name, offset, step: this.#stepTo(name), children: new Map() });
  }

  /** An element without content. @returns what its path has behind that of the innermost one */
  pass(name: string): string {
    return this.#stepTo(name);
  }

  /** An end tag. @returns the name of what it has to end; null: nothing is open */
  leave(): string | null {
    return this.#open.pop()?.name ?? null;
  }

  /**
   * Path of the innermost element, e.g. `/vinnsl/definition/structure/hidden[2]`: with an index from the second of a name on, since what
   * follows is not known. Null: none is open.
   */
  path(): string | null {
    return this.#open.length === 0 ? null : this.#open.map(({ step }) => step).join("");
  }

  /** As {@link path}, of an element that begins here; its parent's when `name` can't be a name. */
  pathTo(name: string): string | null {
    if (!/^[\p{L}_][^\s"'<>/&=]*$/u.test(name)) return this.path();
    return `${this.path() ?? ""}${this.#step(name, this.#count(name, 0) + 1)}`;
  }

  #stepTo(name: string): string {
    return this.#step(name, this.#count(name));
  }

  #step(name: string, number: number): string {
    return `/${localName(name)}${number > 1 ? `[${number}]` : ""}`;
  }

  /** How many of this name the innermost element has, these `more` included. */
  #count(name: string, more = 1): number {
    const counts = this.#open.at(-1)?.children ?? this.#outside;
    const key = localName(name);
    const count = (counts.get(key) ?? 0) + more;
    if (more > 0) counts.set(key, count);
    return count;
  }
}

interface OpenElement {
  readonly name: string;
  readonly offset: number;
  /** Its part of the path. */
  readonly step: string;
  /** How many children of each name it has so far. */
  readonly children: Map<string, number>;
}

function localName(name: string): string {
  return name.slice(name.lastIndexOf(":") + 1);
}
