import type { Dice } from "./dice.js";
import { HOSTILE_VALUES } from "./mutate-xml.js";

/** A value of JSON as text tells it: keys may occur twice, numbers are as they are written. */
type Node =
  | { readonly kind: "raw"; text: string }
  | { readonly kind: "list"; items: Node[] }
  | { readonly kind: "object"; members: { key: string; value: Node }[] };

/** A change of a tree, in place. */
type JsonMutation = (root: Node, dice: Dice) => void;

const RAW: readonly string[] = [
  "0", "-0", "-1", "1", "3", "4", "0.5", "1e309", "-1e309", "1e-400", "1E400", "9007199254740993", "99999999999999999999999999", "0.1e1",
  "null", "true", "false", '""', "[]", "{}", "[[]]", "[null]", "[{}]", '{"a":1}', '"NaN"', '"1e309"', '"4"', '" 4 "', '"\\u0000"', '"\\ud800"',
  '"\\ufffe"', '"<b/>"', '"&x;"', '"]]>"', '"__proto__"', '"\\u00e9\\u0301"', "NaN", "Infinity", "01", ".5", "1.", "+1", "0x10", "'a'", "undefined",
  '{"__proto__":{"polluted":1}}', '{"constructor":{"prototype":{"polluted":1}}}', '{"#text":"3","size":4}', '{"#content":["3"]}',
  '{"#content":[{"#name":"size","#value":3}]}', '{"#name":"size","#value":3}', '{"@name":"learningrate","#text":"1"}', '{"#order":["a"]}',
  '{"@xmlns":"urn:x"}', '{"@":"x"}', '{"":"x"}', `"${"x".repeat(20_000)}"`, "[".repeat(300) + "]".repeat(300), "[".repeat(5000),
  `${'{"a":'.repeat(70)}1${"}".repeat(70)}`, `${'{"a":'.repeat(250)}1${"}".repeat(250)}`, `[${"1,".repeat(3000)}1]`,
]; // biome-ignore format: a list of words

const KEYS: readonly string[] = [
  "vinnsl", "description", "definition", "data", "result", "resultschema", "nncloud", "identifier", "structure", "input", "hidden", "output",
  "id", "ID", "size", "min", "parameters", "valueparameter", "valueparameterOrBoolparameterOrComboparameter", "fromblockAndToblock",
  "fullconnectedAndShortcuts", "name", "value", "kind", "text", "#text", "#order", "#content", "#name", "#value", "@name", "@xml:lang", "@",
  "__proto__", "constructor", "prototype", "toString", "length", "größe", "a b", "1x", "", "a:b", "\u0000", "\uD800", "x".repeat(2000),
]; // biome-ignore format: a list of words

const changeValue: JsonMutation = (root, dice) => {
  const slot = dice.one(slotsOf(root));
  const isLeaf = slot.node.kind === "raw";
  if (!isLeaf && !dice.oncePer(4)) return;
  slot.put({ kind: "raw", text: dice.oncePer(3) ? JSON.stringify(dice.one(HOSTILE_VALUES)) : dice.one(RAW) });
};

const MUTATIONS: Readonly<Record<string, JsonMutation>> = {
  value: changeValue,
  number: (root, dice) => {
    const numbers = slotsOf(root).filter(({ node }) => node.kind === "raw" && /^"?-?[\d.]+"?$/.test(node.text));
    if (numbers.length === 0) return;
    dice.one(numbers).put({ kind: "raw", text: dice.oncePer(2) ? String(dice.below(12)) : dice.one(RAW) });
  },
  deleteKey: ofObject((members, dice) => members.splice(dice.below(members.length), 1)),
  duplicateKey: ofObject((members, dice) => members.push(dice.one(members))),
  renameKey: ofObject((members, dice) => {
    dice.one(members).key = dice.one(KEYS);
  }),
  addKey: ofObject((members, dice) => members.push({ key: dice.one(KEYS), value: { kind: "raw", text: dice.one(RAW) } })),
  reorderKeys: ofObject((members, dice) => members.splice(dice.below(members.length), 0, ...members.splice(0, 1))),
  list: (root, dice) => {
    const lists = slotsOf(root).flatMap(({ node }) => (node.kind === "list" ? [node] : []));
    if (lists.length === 0) return;
    const { items } = dice.one(lists);
    if (items.length === 0 || dice.oncePer(4)) items.push({ kind: "raw", text: dice.one(RAW) });
    else if (dice.oncePer(2)) items.splice(dice.below(items.length), 1);
    else for (let left = dice.one([1, 2, 40]); left > 0; left--) items.push(items[0] ?? { kind: "raw", text: "1" });
  },
  wrap: (root, dice) => {
    const slot = dice.one(slotsOf(root));
    const levels = dice.one([1, 2, 70, 250]);
    let node = slot.node;
    for (let level = 0; level < levels; level++) node = { kind: "object", members: [{ key: "a", value: node }] };
    slot.put(dice.oncePer(2) ? node : { kind: "list", items: [slot.node] });
  },
}; // biome-ignore format: lines of one piece
const NAMES = Object.keys(MUTATIONS);

/** What text mutations put anywhere. */
const INJECTED = [
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  '"',
  "\\",
  "\\u12",
  "\\x",
  "\u0000",
  "\n",
  "// x\n",
  "/* x */",
  "<",
  "\uFEFF",
  "\uD800",
  "1",
];

/** A JSON text after `count` changes of its tree and, now and then, one of its text. @returns names of what was done, too */
export function mutateJson(
  json: string,
  count: number,
  dice: Dice,
): { readonly text: string; readonly done: string[] } {
  const holder: Node = { kind: "list", items: [treeOf(JSON.parse(json))] };
  const done: string[] = [];
  for (let left = count; left > 0; left--) {
    const name = dice.one(NAMES);
    done.push(name);
    MUTATIONS[name]?.(holder, dice);
  }
  let text = writeTree(holder.items[0] ?? holder);
  if (dice.oncePer(6)) {
    const at = dice.below(text.length + 1);
    done.push("text");
    const isCut = dice.oncePer(3);
    text = isCut ? text.slice(0, at) : text.slice(0, at) + dice.one(INJECTED) + text.slice(at);
  }
  return { text, done };
}

function ofObject(change: (members: { key: string; value: Node }[], dice: Dice) => unknown): JsonMutation {
  return (root, dice) => {
    const objects = slotsOf(root).flatMap(({ node }) =>
      node.kind === "object" && node.members.length > 0 ? [node] : [],
    );
    if (objects.length > 0) change(dice.one(objects).members, dice);
  };
}

interface Slot {
  readonly node: Node;
  readonly put: (node: Node) => void;
}

/** All values below `root`. */
function slotsOf(root: Node): Slot[] {
  if (root.kind === "raw") return [];
  if (root.kind === "list") {
    const { items } = root;
    return items.flatMap((node, index) => {
      const put = (other: Node) => {
        items[index] = other;
      };
      return [{ node, put }, ...slotsOf(node)];
    });
  }
  return root.members.flatMap((member) => {
    const put = (other: Node) => {
      member.value = other;
    };
    return [{ node: member.value, put }, ...slotsOf(member.value)];
  });
}

function treeOf(value: unknown): Node {
  if (Array.isArray(value)) return { kind: "list", items: value.map(treeOf) };
  if (typeof value !== "object" || value === null) return { kind: "raw", text: JSON.stringify(value) };
  return { kind: "object", members: Object.entries(value).map(([key, each]) => ({ key, value: treeOf(each) })) };
}

function writeTree(node: Node): string {
  if (node.kind === "raw") return node.text;
  if (node.kind === "list") return `[${node.items.map(writeTree).join(",")}]`;
  return `{${node.members.map(({ key, value }) => `${JSON.stringify(key)}:${writeTree(value)}`).join(",")}}`;
}
