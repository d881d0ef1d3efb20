/** Where in a document something stands; the part of a document failure that says so. */
export interface DocumentPlace {
  /** File as the user named it; null when the document came from elsewhere. */
  readonly file: string | null;
  /** 1-based. */
  readonly line: number | null;
  /** 1-based, in UTF-16 units. */
  readonly column: number | null;
  /** e.g. `/vinnsl/definition/structure/hidden[2]/size`; an index (1-based) only where siblings share a name. */
  readonly elementPath: string | null;
}

/** One element of a document that was read safely. Comments, namespaces and the XML declaration are gone. */
export interface XmlElement {
  /** Local name: a namespace prefix is dropped. */
  readonly name: string;
  /** Line and column of the start tag's `<`. */
  readonly place: DocumentPlace & { readonly line: number; readonly column: number; readonly elementPath: string };
  /** By name, references decoded, blanks at the ends removed; without `xmlns`, `xml:` and `xsi:` attributes. */
  readonly attributes: ReadonlyMap<string, string>;
  /** As {@link attributes}, but all of them, by qualified name and with the blanks at the ends of their values. */
  readonly allAttributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** Own text and children in document order, references decoded, blanks kept; neighbouring text is one piece. */
  readonly content: readonly (string | XmlElement)[];
  /** Own text (not that of children), references decoded, blanks at the ends removed. */
  readonly text: string;
}
