import type { Dice } from "./dice.js";

/** A change of a document's text. */
export type XmlMutation = (xml: string, dice: Dice) => string;

/** Texts where a number, a flag or a name belongs. */
export const HOSTILE_VALUES: readonly string[] = [
  "", "0", "-0", "-1", "+1", "1", "2", "3", "4", "0.5", ".5", "1.", "04", "1e2", "1e-4", "1e309", "-1e309", "1e-400", "NaN", "Infinity",
  "-INF", "0x10", "1,5", "1 000", "2147483648", "4294967296", "9007199254740993", "999999999999999999999999", "0.1.2", "١٢", "true", "false",
  "null", "undefined", "relu", "TANH", "sigmoid", "softmax", "Classifiers", "Approximators", "Deep Learning", "Hopfield", "Input1",
  "Hidden1", "Hidden2", "Output1", "name/iris.csv", "../../../etc/passwd", "name/../../x", "/etc/passwd", "file:///etc/passwd",
  "http://127.0.0.1:1/x", "%2e%2e%2f", "C:\\x", "__proto__", "constructor", "toString", "#{7*7}", "{{7*7}}", "$(id)", "'; DROP TABLE jobs; --",
  "&lt;script&gt;alert(1)&lt;/script&gt;", "&amp;amp;", "&#0;", "&#x1F600;", "\u202Etxt.exe", "\u00A0", "é\u0301", "\u{1F600}",
  "a".repeat(300), "9".repeat(400), "x".repeat(20_000), " 3 ", "\n3\n", "<b/>", "<![CDATA[3]]>", "3<!-- 4 -->", "<!-- -->",
]; // biome-ignore format: a list of words

const NAMES: readonly string[] = [
  "vinnsl", "description", "definition", "data", "instance", "trainingresult", "trainingresultschema", "result", "resultschema", "nncloud",
  "identifier", "metadata", "problemDomain", "structure", "input", "hidden", "output", "ID", "id", "dimension", "size", "min", "max",
  "connections", "fullconnected", "shortcuts", "fromblock", "toblock", "parameters", "valueparameter", "boolparameter", "comboparameter",
  "executionEnvironment", "serial", "parallel", "endpoints", "train", "networkType", "problemType", "dataSchemaID", "unknown", "__proto__",
  "constructor", "prototype", "toString", "hasOwnProperty", "length", "größe", "v:size", "xmlns:size", "a.b-c_1", "1x", "x y", "-x", ":",
]; // biome-ignore format: a list of words

/** What may stand anywhere in a text. */
const INJECTED: readonly string[] = [
  "<", ">", "&", '"', "'", "]]>", "<!--", "-->", "<![CDATA[", "<?x?>", "<?xml version='1.0'?>", "</", "/>", "<a>", "</vinnsl>", "<a", "=",
  "\u0000", "\u0001", "\u000B", "\u0085", "\u2028", "\uFFFE", "\uFEFF", "\uD800", "\uDC00", "\t", "\r", "\r\n", "text", "&x;", "&lt", "&#xD800;",
  "&#99999999999;", "<!DOCTYPE a>", "<!ENTITY a 'b'>", "<!ELEMENT a ANY>", "<xi:include href='file:///etc/passwd'/>",
]; // biome-ignore format: a list of words

const DECLARATIONS: readonly string[] = [
  '<!DOCTYPE vinnsl [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
  '<!DOCTYPE vinnsl SYSTEM "http://127.0.0.1:1/evil.dtd">',
  '<!DOCTYPE vinnsl [<!ENTITY % p SYSTEM "http://127.0.0.1:1/p"> %p;]>',
  '<!DOCTYPE vinnsl [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;">]>',
  "<!DOCTYPE vinnsl>",
  '<?xml-stylesheet href="http://127.0.0.1:1/x.xsl"?>',
];

interface Span {
  readonly start: number;
  /** Behind its start tag, before its end tag; equal for an element without content. */
  readonly from: number;
  readonly to: number;
  readonly end: number;
  readonly name: string;
}

/** The elements of a text, as far as tags fit together; never fails. */
function spansOf(xml: string): Span[] {
  const spans: Span[] = [];
  const open: { readonly name: string; readonly start: number; readonly from: number }[] = [];
  for (const match of xml.matchAll(/<(\/?)([^\s/<>!?"']+)((?:"[^"]*"|'[^']*'|[^"'<>])*)>/g)) {
    const [whole, slash = "", name = "", rest = ""] = match;
    const after = match.index + whole.length;
    if (rest.endsWith("/")) spans.push({ start: match.index, from: after, to: after, end: after, name });
    else if (slash === "") open.push({ name, start: match.index, from: after });
    else {
      const last = open.pop();
      if (last !== undefined) spans.push({ ...last, to: match.index, end: after });
    }
  }
  return spans;
}

const splice = (xml: string, from: number, to: number, text: string) => xml.slice(0, from) + text + xml.slice(to);
const textOf = (xml: string, { start, end }: Span) => xml.slice(start, end);

/** A mutation of one element; a text without any stays as it is. */
function ofElement(change: (xml: string, span: Span, dice: Dice, all: readonly Span[]) => string): XmlMutation {
  return (xml, dice) => {
    const spans = spansOf(xml);
    return spans.length === 0 ? xml : change(xml, dice.one(spans), dice, spans);
  };
}

const leaf = ofElement((xml, _span, dice, all) => {
  const leaves = all.filter((span) => !xml.slice(span.from, span.to).includes("<") && span.to > span.from);
  if (leaves.length === 0) return xml;
  const { from, to } = dice.one(leaves);
  return splice(xml, from, to, dice.one(HOSTILE_VALUES));
});

const number = ofElement((xml, _span, dice, all) => {
  const numbers = all.filter((span) => /^\s*-?[\d.]+\s*$/.test(xml.slice(span.from, span.to)));
  if (numbers.length === 0) return xml;
  const { from, to } = dice.one(numbers);
  const other = dice.oncePer(2) ? String(dice.below(12)) : dice.one(HOSTILE_VALUES);
  return splice(xml, from, to, other);
});

const attribute = ofElement((xml, { start, name }, dice) => {
  const at = start + 1 + name.length;
  const key = dice.one(["name", "type", "version", "xmlns", "xmlns:v", "xsi:type", "xml:lang", "__proto__", "onload", "größe", "1x", ""]);
  const value = dice.one(HOSTILE_VALUES);
  return splice(xml, at, at, ` ${key}=${dice.oncePer(6) ? value : JSON.stringify(value)}`);
}); // biome-ignore format: a list of words

const changedAttribute: XmlMutation = (xml, dice) => {
  const found = [...xml.matchAll(/ [\w:]+="[^"]*"/g)];
  if (found.length === 0) return xml;
  const { 0: whole, index } = dice.one(found);
  const key = whole.slice(0, whole.indexOf("="));
  const others = ["", whole + whole, `${key}="${dice.one(HOSTILE_VALUES)}"`, ` ${dice.one(NAMES)}=""`, key];
  return splice(xml, index, index + whole.length, dice.one(others));
};

const nest = ofElement((xml, { from, to }, dice) => {
  const levels = dice.one([1, 2, 30, 60, 70, 1000]);
  const name = dice.one(NAMES);
  return splice(xml, from, to, `<${name}>`.repeat(levels) + xml.slice(from, to) + `</${name}>`.repeat(levels));
});

/** Mutations after which a document is often still one; each by a name for messages. */
export const SOFT_XML_MUTATIONS: Readonly<Record<string, XmlMutation>> = {
  leaf,
  number,
  delete: ofElement((xml, { start, end }) => splice(xml, start, end, "")),
  duplicate: ofElement((xml, span) => splice(xml, span.end, span.end, textOf(xml, span))),
  empty: ofElement((xml, { from, to }) => splice(xml, from, to, "")),
  swap: ofElement((xml, one, dice, all) => {
    const other = dice.one(all);
    const [first, second] = one.start < other.start ? [one, other] : [other, one];
    if (first.end > second.start) return xml;
    const between = xml.slice(first.end, second.start);
    return splice(xml, first.start, second.end, textOf(xml, second) + between + textOf(xml, first));
  }),
  move: ofElement((xml, span, dice, all) => {
    const into = dice.one(all);
    const without = splice(xml, span.start, span.end, "");
    const at = Math.min(without.length, into.from > span.end ? into.from - (span.end - span.start) : into.from);
    return splice(without, at, at, textOf(xml, span));
  }),
  rename: ofElement((xml, span, dice) => {
    const name = dice.one(NAMES);
    const closed = splice(xml, span.to, span.end, xml.slice(span.to, span.end).replace(`</${span.name}`, () => `</${name}`));
    return splice(closed, span.start + 1, span.start + 1 + span.name.length, name);
  }),
  attribute,
  changedAttribute,
  insert: ofElement((xml, { from }, dice) => {
    const name = dice.one(NAMES);
    return splice(xml, from, from, `<${name}>${dice.one(HOSTILE_VALUES)}</${name}>`);
  }),
  comment: ofElement((xml, { from }) => splice(xml, from, from, "<!-- <size>9</size> & -->")),
  prefix: ofElement((xml) => xml.replaceAll(/(<\/?)(?=[A-Za-z])/g, "$1v:")),
  lines: (xml) => xml.replaceAll("\n", "\r\n"),
  case: ofElement((xml, { start, end }) => splice(xml, start, end, xml.slice(start, end).toUpperCase())),
}; // biome-ignore format: lines of one piece

/** Mutations that seldom leave a document. */
export const HARD_XML_MUTATIONS: Readonly<Record<string, XmlMutation>> = {
  inject: (xml, dice) => {
    const at = dice.below(xml.length + 1);
    return splice(xml, at, at, dice.one(INJECTED));
  },
  cut: (xml, dice) => xml.slice(0, dice.below(xml.length + 1)),
  cutStart: (xml, dice) => xml.slice(dice.below(xml.length + 1)),
  remove: (xml, dice) => {
    const at = dice.below(xml.length + 1);
    return splice(xml, at, at + dice.below(400), "");
  },
  nest,
  repeat: ofElement((xml, span, dice) => {
    const text = textOf(xml, span);
    const times = Math.min(dice.one([3, 50, 2000]), Math.ceil(200_000 / text.length));
    return splice(xml, span.end, span.end, text.repeat(times));
  }),
  declaration: (xml, dice) => {
    const at = Math.max(0, xml.indexOf("?>") + 2);
    const reference = dice.oncePer(2) ? xml.replace(/(<size>)/, "$1&x;") : xml;
    return splice(reference, at, at, dice.one(DECLARATIONS));
  },
  encoding: (xml, dice) => {
    const name = dice.one(["UTF-16", "ISO-8859-1", "utf8", "us-ascii", "", "x".repeat(500), "UTF-7"]);
    return `<?xml version="${dice.one(["1.0", "1.1", "9"])}" encoding="${name}"?>${xml.replace(/^<\?xml[^?]*\?>/, "")}`;
  },
  tag: (xml, dice) => {
    const tags = [...xml.matchAll(/<[^<>]*>/g)];
    if (tags.length === 0) return xml;
    const { 0: whole, index } = dice.one(tags);
    return splice(xml, index, index + whole.length, dice.one(["", whole + whole, whole.slice(0, -1), whole.slice(1)]));
  },
};
