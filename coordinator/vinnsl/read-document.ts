import { XMLParser, XMLValidator } from "fast-xml-parser";
import { decodeReferences } from "./decode-references.js";
import { invalidAt } from "./document-error.js";
import { elementPathAt, findMarkupFault, type MarkupLimits } from "./find-markup-fault.js";
import { LineIndex } from "./line-index.js";
import type { DocumentPlace, XmlElement } from "./xml-element.js";

/** What a document may cost to read. */
export interface DocumentLimits {
  /** @defaultValue 16 MiB */
  readonly maxSizeBytes?: number;
  /** Elements inside one another, the root included. @defaultValue 64 */
  readonly maxDepth?: number;
  /** @defaultValue 200,000 */
  readonly maxElements?: number;
}

const textKey = "#text";
const sectionKey = "#cdata";
const attributesKey = ":@";

/**
 * XML → tree with line, column and element path of every element. Nothing outside the bytes is ever fetched, no entity
 * of the document's own is expanded, and time and memory are linear in the size. Text is decoded as UTF-8, with or
 * without byte order mark. Namespace prefixes are dropped. Pure.
 *
 * @throws RingstrasseError DOCUMENT_INVALID with line, column and the path of the element that it is in, if any: not UTF-8,
 *   not XML, a document type or entity declaration, a processing instruction other than the XML declaration, or over a
 *   limit.
 */
export function readDocument(bytes: Uint8Array, file: string | null, limits: DocumentLimits = {}): XmlElement {
  const { maxSizeBytes = 16 * 1024 * 1024, maxDepth = 64, maxElements = 200_000 } = limits;
  const start: DocumentPlace = { file, line: 1, column: 1, elementPath: null };
  if (bytes.byteLength > maxSizeBytes) {
    const problem = `the document has ${bytes.byteLength} bytes; at most ${maxSizeBytes} are read`;
    throw invalidAt(start, problem, "Keep data in a file of its own and name it by dataSchemaID or --data");
  }
  const markup = { maxDepth, maxElements };
  const text = decodeText(bytes, file, markup);
  if (text.trim() === "") throw invalidAt(start, "the document is empty", "Give a ViNNSL document");
  const lines = new LineIndex(text);
  const fault = findMarkupFault(text, markup);
  if (fault !== null) {
    const { offset, elementPath, problem, remedy } = fault;
    throw invalidAt({ file, ...lines.positionOf(offset), elementPath }, problem, remedy);
  }
  checkWellFormed(text, start, { lines, markup });
  const [root] = childrenOf(parse(text, maxDepth, start), "", { file, lines });
  if (root === undefined) throw invalidAt(start, "the document has no element", "Give a ViNNSL document");
  return root;
}

function decodeText(bytes: Uint8Array, file: string | null, markup: MarkupLimits): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes).replace(/\r\n?/g, "\n");
  } catch (cause) {
    const before = new TextDecoder("utf-8").decode(bytes).replace(/\r\n?/g, "\n");
    const offset = Math.max(0, before.indexOf("\uFFFD"));
    const elementPath = elementPathAt(before, offset, markup);
    const place: DocumentPlace = { file, ...new LineIndex(before).positionOf(offset), elementPath };
    throw invalidAt(place, "the document is not UTF-8 text", "Save it as UTF-8 (XML, not a binary file)", cause);
  }
}

function checkWellFormed(
  text: string,
  start: DocumentPlace,
  { lines, markup }: { readonly lines: LineIndex; readonly markup: MarkupLimits },
): void {
  const verdict = XMLValidator.validate(text);
  if (verdict === true) return;
  // The validator leaves out the column of some errors, against its own type.
  const { line, col, msg }: { line: number; col?: number; msg: string } = verdict.err;
  const elementPath = elementPathAt(text, lines.offsetOf({ line, column: col ?? 1 }), markup);
  const place: DocumentPlace = { ...start, line, column: col ?? null, elementPath };
  throw invalidAt(place, `not XML: ${msg.replace(/\.$/, "")}`, "Correct the markup at this place");
}

function parse(text: string, maxDepth: number, start: DocumentPlace): readonly ParsedNode[] {
  const parser = new XMLParser({
    preserveOrder: true,
    captureMetaData: true,
    ignoreAttributes: false,
    attributeNamePrefix: "",
    ignoreDeclaration: true,
    parseTagValue: false,
    trimValues: false,
    // References are decoded below: the library's own way knows no numeric ones and could expand others.
    processEntities: false,
    textNodeName: textKey,
    cdataPropName: sectionKey,
    maxNestedTags: maxDepth + 1,
    onDangerousProperty: (name) => name,
  });
  try {
    return nodesOf(parser.parse(text));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw invalidAt(start, `the XML parser refuses the document: ${reason}`, "Rename what it names", cause);
  }
}

/**
 * What the parser gives for an element or a piece of text: one key for its name, `:@` for attributes, a symbol for
 * its offset.
 */
type ParsedNode = Readonly<Record<string | symbol, unknown>>;

function nodesOf(value: unknown): readonly ParsedNode[] {
  return Array.isArray(value)
    ? value.filter((node): node is ParsedNode => typeof node === "object" && node !== null)
    : [];
}

interface Source {
  readonly file: string | null;
  readonly lines: LineIndex;
}

function childrenOf(nodes: readonly ParsedNode[], parentPath: string, source: Source): XmlElement[] {
  const named = nodes.flatMap((node) => {
    const key = keyOf(node);
    return key === undefined || key === textKey || key === sectionKey ? [] : [{ node, key, name: localName(key) }];
  });
  const totals = new Map<string, number>();
  for (const { name } of named) totals.set(name, (totals.get(name) ?? 0) + 1);
  const seen = new Map<string, number>();
  return named.map(({ node, key, name }) => {
    const index = (seen.get(name) ?? 0) + 1;
    seen.set(name, index);
    const elementPath = `${parentPath}/${name}${(totals.get(name) ?? 0) > 1 ? `[${index}]` : ""}`;
    const inner = nodesOf(node[key]);
    const children = childrenOf(inner, elementPath, source);
    const content = contentOf(inner, children);
    const allAttributes = attributesOf(node);
    return {
      name,
      place: { file: source.file, ...source.lines.positionOf(offsetOf(node)), elementPath },
      attributes: ownAttributes(allAttributes),
      allAttributes,
      children,
      content,
      text: content
        .filter((piece) => typeof piece === "string")
        .join("")
        .trim(),
    };
  });
}

function keyOf(node: ParsedNode): string | undefined {
  return Object.keys(node).find((key) => key !== attributesKey);
}

function localName(name: string): string {
  return name.slice(name.lastIndexOf(":") + 1);
}

function offsetOf(node: ParsedNode): number {
  // The library's types say `Symbol`, the object type; it is a plain symbol.
  const metadata = node[XMLParser.getMetaDataSymbol() as symbol];
  if (typeof metadata !== "object" || metadata === null || !("startIndex" in metadata)) return 0;
  return typeof metadata.startIndex === "number" ? metadata.startIndex : 0;
}

function attributesOf(node: ParsedNode): ReadonlyMap<string, string> {
  const attributes = node[attributesKey];
  if (typeof attributes !== "object" || attributes === null) return new Map();
  // Literal line ends and tabs in a value mean blanks; references to them mean themselves (XML 1.0, 3.3.3).
  return new Map(
    Object.entries(attributes).map(([name, value]) => [
      name,
      decodeReferences(String(value).replaceAll(/[\n\t]/g, " ")),
    ]),
  );
}

function ownAttributes(attributes: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map(
    [...attributes]
      .filter(([name]) => !/^(?:xmlns$|xmlns:|xml:|xsi:)/.test(name))
      .map(([name, value]) => [name, value.trim()]),
  );
}

function contentOf(nodes: readonly ParsedNode[], children: readonly XmlElement[]): (string | XmlElement)[] {
  const content: (string | XmlElement)[] = [];
  let next = 0;
  for (const node of nodes) {
    const text = textOf(node);
    if (text === null) {
      const child = children[next++];
      if (child !== undefined) content.push(child);
      continue;
    }
    const last = content.at(-1);
    if (typeof last === "string") content.splice(-1, 1, last + text);
    else if (text !== "") content.push(text);
  }
  return content;
}

/** Null when the node is an element. */
function textOf(node: ParsedNode): string | null {
  const text = node[textKey];
  if (typeof text === "string") return decodeReferences(text);
  if (keyOf(node) !== sectionKey) return null;
  return nodesOf(node[sectionKey])
    .map((section) => (typeof section[textKey] === "string" ? section[textKey] : ""))
    .join("");
}
