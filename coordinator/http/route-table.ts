/** Which methods there are at which paths, for telling a wrong method from a wrong path. */
export class RouteTable {
  readonly #methods = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>();

  /** @param url with `:name` for one piece of a path and `*` for the rest */
  add(method: string, url: string): void {
    const known = this.#methods.get(url) ?? { pattern: toPattern(url), methods: new Set<string>() };
    known.methods.add(method);
    this.#methods.set(url, known);
  }

  /**
   * Of the path as it was sent, without its query, in alphabetical order; what is registered for just this path hides what patterns
   * would say of it. Cost: one look at each route.
   */
  methodsOf(path: string): readonly string[] {
    const matching = [...this.#methods].filter(([, { pattern }]) => pattern.test(path));
    const exact = matching.filter(([url]) => !/[:*]/.test(url));
    const found = (exact.length > 0 ? exact : matching).flatMap(([, { methods }]) => [...methods]);
    return [...new Set(found)].sort();
  }
}

function toPattern(url: string): RegExp {
  const pieces = url.replace(/\/+$/, "").split("/").map(toPiecePattern);
  return new RegExp(`^${pieces.join("/")}/?$`);
}

function toPiecePattern(piece: string): string {
  if (piece === "*") return ".*";
  if (piece.startsWith(":")) return "[^/]+";
  return piece.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
