import { badReference } from "./decode-references.js";
import { quote } from "./document-error.js";
import { isRefusedName } from "./object/element-name.js";
import { OpenElements } from "./open-elements.js";

/** How much a document may ask of the parser. */
export interface MarkupLimits {
  /** Elements inside one another, the root included. */
  readonly maxDepth: number;
  /** Elements in all. */
  readonly maxElements: number;
}

/** Something that is refused, and the offset where it starts. */
export interface MarkupFault {
  readonly offset: number;
  /** Of the element that it is in; null: it is in none. */
  readonly elementPath: string | null;
  readonly problem: string;
  readonly remedy: string;
}

interface Progress {
  readonly open: OpenElements;
  /** The last element without content, and the end of its tag. */
  passed: { readonly step: string; readonly end: number };
  elements: number;
  rootSeen: boolean;
}

/** A fault whose element is the innermost open one unless it says otherwise. */
type PlacedFault = Omit<MarkupFault, "elementPath"> & Partial<Pick<MarkupFault, "elementPath">>;
/** Longer names are cut in paths of messages. */
const LONGEST_NAME = 200;

type Step = { readonly next: number } | { readonly fault: PlacedFault };

/**
 * Looks for what must never reach a parser (document type and entity declarations, processing instructions, undefined
 * entities, excessive depth or number of elements) and for breaches of XML that fast-xml-parser lets pass. Null when
 * there is none; names of tags and attributes are left to the parser's own validator. Pure; one pass, O(length).
 *
 * @param text with line ends `\n` only and without byte order mark.
 */
export function findMarkupFault(text: string, limits: MarkupLimits): MarkupFault | null {
  const strange = /[^\t\n\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u.exec(text);
  const progress: Progress = newProgress();
  const found = scan(text, { progress, limits, until: strange?.index ?? text.length });
  if (found !== null) return found;
  if (strange !== null) {
    const code = (strange[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    const problem = `the character U+${code} is not allowed in XML`;
    return { ...fault(strange.index, problem, "Remove it"), elementPath: pathAt(strange.index, progress) };
  }
  const unclosed = progress.open.innermost;
  if (unclosed === null) return null;
  const { name, offset } = unclosed;
  const elementPath = progress.open.path();
  return { ...fault(offset, `not XML: <${name}> is never closed`, `Add </${name}>`), elementPath };
}

/**
 * Path of the element that the character at `offset` is in; null: it is in none. Pure; one pass. Up to there, or to its first fault, the
 * document is read as {@link findMarkupFault} does.
 */
export function elementPathAt(text: string, offset: number, limits: MarkupLimits): string | null {
  const progress = newProgress();
  const found = scan(text, { progress, limits, until: offset });
  return found === null ? pathAt(offset, progress) : found.elementPath;
}

function newProgress(): Progress {
  return { open: new OpenElements(), passed: { step: "", end: 0 }, elements: 0, rootSeen: false };
}

/** @param offset that was read up to */
function pathAt(offset: number, { open, passed }: Progress): string | null {
  return passed.end > offset ? `${open.path() ?? ""}${passed.step}` : open.path();
}

interface Scan {
  readonly progress: Progress;
  readonly limits: MarkupLimits;
  /** Pieces that begin behind this offset, or reach over it, are not looked at. */
  readonly until: number;
}

function scan(text: string, { progress, limits, until }: Scan): MarkupFault | null {
  const placed = (found: PlacedFault): MarkupFault => ({ elementPath: progress.open.path(), ...found });
  let at = 0;
  while (at < until) {
    const open = text.indexOf("<", at);
    const end = open === -1 ? text.length : open;
    const textFault = faultInText(text, at, Math.min(end, until), progress);
    if (textFault !== null) return placed(textFault);
    if (end >= until) return null;
    const elementPath = progress.open.path();
    const step = stepOver(text, open, progress, limits);
    if ("fault" in step) {
      // What a tag breaks is told of the element in which it stands.
      return until < text.length && step.fault.offset > until ? null : { elementPath, ...step.fault };
    }
    at = step.next;
  }
  return null;
}

function fault(offset: number, problem: string, remedy: string): PlacedFault {
  return { offset, problem, remedy };
}

function faultInText(text: string, from: number, to: number, progress: Progress): PlacedFault | null {
  const slice = text.slice(from, to);
  if (progress.open.depth === 0) {
    const first = slice.search(/[^ \t\n]/);
    if (first === -1) return null;
    return fault(
      from + first,
      "text stands outside the root element",
      "Give one XML document, starting with <vinnsl> or <definition>",
    );
  }
  const sectionEnd = slice.indexOf("]]>");
  if (sectionEnd !== -1) return fault(from + sectionEnd, 'not XML: "]]>" in text', "Write ]]&gt; instead");
  return faultInReferences(slice, from);
}

/**
 * @param slice a piece of the document that starts at offset `from`: searches must never run past its end, or
 * they'd add up.
 */
function faultInReferences(slice: string, from: number): PlacedFault | null {
  const index = badReference(slice);
  if (index === -1) return null;
  const at = from + index;
  const name = /^&[^\s;&<>"']{1,40};/.exec(slice.slice(index, index + 42))?.[0];
  if (name === undefined) return fault(at, 'not XML: a bare "&"', "Write &amp; instead");
  return fault(
    at,
    `the reference ${name} is refused: entities of a document's own are never expanded`,
    "Write the text itself; only &amp; &lt; &gt; &quot; &apos; and numbers of XML characters are decoded",
  );
}

function stepOver(text: string, open: number, progress: Progress, limits: MarkupLimits): Step {
  if (text.startsWith("<!--", open)) return stepOverComment(text, open);
  if (text.startsWith("<![CDATA[", open)) return stepOverSection(text, open, progress);
  if (text.startsWith("<!", open)) {
    const problem = "document type and entity declarations (<!DOCTYPE, <!ENTITY) are refused";
    return { fault: fault(open, problem, "Remove the declaration; nothing in ViNNSL needs one") };
  }
  if (text.startsWith("<?", open)) return stepOverInstruction(text, open);
  if (text.startsWith("</", open)) return stepOverEndTag(text, open, progress);
  return stepOverStartTag(text, open, progress, limits);
}

function stepOverComment(text: string, open: number): Step {
  const end = text.indexOf("--", open + 4);
  if (end === -1) return { fault: fault(open, "not XML: the comment is not closed", "End it with -->") };
  if (text[end + 2] !== ">") return { fault: fault(end, 'not XML: "--" inside a comment', "Remove one of the dashes") };
  return { next: end + 3 };
}

function stepOverSection(text: string, open: number, progress: Progress): Step {
  if (progress.open.depth === 0) {
    const problem = "not XML: a CDATA section outside the root element";
    return { fault: fault(open, problem, "Move it into an element, or remove it") };
  }
  const end = text.indexOf("]]>", open);
  if (end === -1) return { fault: fault(open, "not XML: the CDATA section is not closed", "End it with ]]>") };
  return { next: end + 3 };
}

function stepOverInstruction(text: string, open: number): Step {
  const end = text.indexOf("?>", open);
  if (end === -1) return { fault: fault(open, "not XML: <? is not closed", "End it with ?>") };
  const declaration = text.slice(open, end + 2);
  if (open !== 0 || !/^<\?xml\s/.test(declaration)) {
    const problem = "processing instructions are refused; only an XML declaration at the very start is allowed";
    return { fault: fault(open, problem, "Remove the instruction, or move the XML declaration to the start") };
  }
  const encoding = /\sencoding\s*=\s*["']([^"']*)["']/.exec(declaration)?.[1];
  if (encoding !== undefined && !/^(?:utf-?8|us-ascii)$/i.test(encoding)) {
    const problem = `the document declares the encoding ${encoding}; only UTF-8 is read`;
    return { fault: fault(open, problem, "Save the document as UTF-8 and declare that, or nothing") };
  }
  return { next: end + 2 };
}

function stepOverEndTag(text: string, open: number, progress: Progress): Step {
  const close = text.indexOf(">", open);
  if (close === -1) return { fault: fault(open, "not XML: the tag is not closed", 'End it with ">"') };
  const name = text.slice(open + 2, close).trimEnd();
  const expected = progress.open.leave();
  if (name === expected) return { next: close + 1 };
  const problem =
    expected === null
      ? "not XML: an end tag without its start tag"
      : `not XML: the end tag ${quote(name)} stands where </${expected}> belongs`;
  const remedy = expected === null ? "Remove it, or add the start tag" : `Close <${expected}> first`;
  return { fault: fault(open, problem, remedy) };
}

function stepOverStartTag(text: string, open: number, progress: Progress, limits: MarkupLimits): Step {
  if (progress.open.depth === 0 && progress.rootSeen) {
    return { fault: fault(open, "not XML: a second root element", "Keep one root element per document") };
  }
  const name = /^[^\s/>"'<]*/.exec(text.slice(open + 1, open + 1 + LONGEST_NAME))?.[0] ?? "";
  const inTag = (found: PlacedFault): Step => ({ fault: { ...found, elementPath: progress.open.pathTo(name) } });
  const stop = /["'<>]/g;
  stop.lastIndex = open + 1;
  for (let match = stop.exec(text); match !== null; match = stop.exec(text)) {
    const at = match.index;
    if (match[0] === ">") {
      const refused = refusedNameIn(text.slice(open + 1, at));
      if (refused === null) return countElement(text, { open, close: at }, progress, limits);
      return inTag(fault(open, `the name ${quote(refused)} is refused for safety`, "Choose another name"));
    }
    if (match[0] === "<") break;
    const end = text.indexOf(match[0], at + 1);
    if (end === -1) return inTag(fault(at, "not XML: an attribute value is not closed", "Add the closing quote"));
    const value = text.slice(at, end);
    const less = value.indexOf("<");
    if (less !== -1) {
      return inTag(fault(at + less, 'not XML: "<" in an attribute value', "Close the quote before it, or write &lt;"));
    }
    const referenceFault = faultInReferences(value, at);
    if (referenceFault !== null) return inTag(referenceFault);
    stop.lastIndex = end + 1;
  }
  return inTag(fault(open, "not XML: the tag is not closed", 'End it with ">"'));
}

/** The first name, of an element or attribute, that could reach behind an object; the parser refuses it too, but without a place. */
function refusedNameIn(tag: string): string | null {
  if (!/__proto__|prototype|constructor/.test(tag)) return null;
  const names = tag.replace(/"[^"]*"|'[^']*'/g, " ").split(/[\s=/]+/);
  return names.find(isRefusedName) ?? null;
}

function countElement(
  text: string,
  tag: { readonly open: number; readonly close: number },
  progress: Progress,
  limits: MarkupLimits,
): Step {
  progress.rootSeen = true;
  progress.elements += 1;
  if (progress.open.depth + 1 > limits.maxDepth) {
    const problem = `elements are nested deeper than ${limits.maxDepth} levels`;
    return { fault: fault(tag.open, problem, "Remove levels; ViNNSL needs no more than a dozen") };
  }
  if (progress.elements > limits.maxElements) {
    const problem = `the document has more than ${limits.maxElements} elements`;
    return {
      fault: fault(tag.open, problem, "Keep tables of data in a file of their own and name it by dataSchemaID"),
    };
  }
  const name = /^[^\s/]*/.exec(text.slice(tag.open + 1, tag.close))?.[0] ?? "";
  if (text[tag.close - 1] === "/") progress.passed = { step: progress.open.pass(name), end: tag.close + 1 };
  else progress.open.enter(name, tag.open);
  return { next: tag.close + 1 };
}
