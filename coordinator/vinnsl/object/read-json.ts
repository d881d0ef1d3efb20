import { invalidAt, quote } from "../document-error.js";
import { LineIndex } from "../line-index.js";
import type { JsonNode } from "./json-node.js";

/** What a JSON document may cost to read. */
export interface JsonLimits {
  /** @defaultValue 16 MiB */
  readonly maxSizeBytes?: number;
  /** Objects and arrays inside one another. @defaultValue 200 */
  readonly maxDepth?: number;
  /** Values in all. @defaultValue 1,000,000 */
  readonly maxValues?: number;
  /** The element that the document is, e.g. `/vinnsl`; absent: it is none, and errors name no elements. */
  readonly rootPath?: string;
}

/**
 * JSON (RFC 8259) → values with line and column. Stricter than `JSON.parse`: a key may occur once, numbers stay as they
 * are written, size, depth and number of values are limited. UTF-8, with or without byte order mark. Pure; O(size).
 *
 * @throws RingstrasseError DOCUMENT_INVALID with line and column, and, below `rootPath`, the path of the element that it is in
 */
export function readJson(bytes: Uint8Array, limits: JsonLimits = {}): JsonNode {
  const { maxSizeBytes = 16 * 1024 * 1024, maxDepth = 200, maxValues = 1_000_000 } = limits;
  if (bytes.byteLength > maxSizeBytes) {
    const problem = `the document has ${bytes.byteLength} bytes; at most ${maxSizeBytes} are read`;
    throw invalidAt(startPlace, problem, "Keep data in a file of its own and name it by dataSchemaID");
  }
  return new JsonReader(decode(bytes), { maxDepth, maxValues, rootPath: limits.rootPath ?? null }).document();
}

const startPlace = { file: null, line: 1, column: 1, elementPath: null };

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw invalidAt(startPlace, "the document is not UTF-8 text", "Send JSON in UTF-8", cause);
  }
}

/** Longer keys are cut in paths of messages. */
const LONGEST_KEY = 200;
/** So are longer paths: no legal element is deeper. */
const LONGEST_WAY = 64;

const literals: readonly (readonly [string, boolean | null])[] = [
  ["true", true],
  ["false", false],
  ["null", null],
];
const escapes: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const numberPattern = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
/** Up to the next quote, escape or control character. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids these in strings
const plainPattern = /[^"\\\u0000-\u001f]*/y;

type ReaderLimits = Required<Pick<JsonLimits, "maxDepth" | "maxValues">> & { readonly rootPath: string | null };

/** One pass over one text. */
class JsonReader {
  readonly #text: string;
  readonly #lines: LineIndex;
  readonly #maxDepth: number;
  readonly #maxValues: number;
  readonly #rootPath: string | null;
  /** Keys and, from 1 on, numbers of list items that lead to the value at hand. */
  readonly #way: (string | number)[] = [];
  #at = 0;
  #values = 0;

  constructor(text: string, { maxDepth, maxValues, rootPath }: ReaderLimits) {
    this.#text = text;
    this.#lines = new LineIndex(text);
    this.#maxDepth = maxDepth;
    this.#maxValues = maxValues;
    this.#rootPath = rootPath;
  }

  document(): JsonNode {
    this.#skipBlanks();
    if (this.#at === this.#text.length) throw this.#fault(0, "the document is empty", "Send a JSON object");
    const node = this.#value(1);
    this.#skipBlanks();
    if (this.#at < this.#text.length) throw this.#unexpected("the end of the document");
    return node;
  }

  #value(depth: number): JsonNode {
    const start = this.#at;
    this.#values += 1;
    if (this.#values > this.#maxValues) {
      const problem = `the document has more than ${this.#maxValues} values`;
      throw this.#fault(start, problem, "Keep tables of data in a file of their own and name it by dataSchemaID");
    }
    if (depth > this.#maxDepth) {
      const problem = `values are nested deeper than ${this.#maxDepth} levels`;
      throw this.#fault(start, problem, "Remove levels; ViNNSL needs no more than two dozen");
    }
    const place = this.#lines.positionOf(start);
    const character = this.#text[start];
    if (character === "{") return { ...place, kind: "object", members: this.#members(depth) };
    if (character === "[") return { ...place, kind: "array", items: this.#items(depth) };
    if (character === '"') return { ...place, kind: "string", value: this.#string() };
    for (const [word, value] of literals) {
      if (!this.#text.startsWith(word, start)) continue;
      this.#at += word.length;
      return value === null ? { ...place, kind: "null" } : { ...place, kind: "boolean", value };
    }
    const raw = this.#match(numberPattern);
    if (raw === "") throw this.#unexpected("a value");
    return { ...place, kind: "number", raw };
  }

  #members(depth: number): ReadonlyMap<string, JsonNode> {
    const members = new Map<string, JsonNode>();
    this.#at += 1;
    this.#skipBlanks();
    if (this.#take("}")) return members;
    do {
      this.#skipBlanks();
      const start = this.#at;
      if (this.#text[start] !== '"') throw this.#unexpected("a key in double quotes");
      const key = this.#string();
      this.#way.push(key);
      if (members.has(key)) {
        throw this.#fault(start, `the key ${quote(key)} occurs twice in one object`, "Keep one of the two");
      }
      this.#skipBlanks();
      if (!this.#take(":")) throw this.#unexpected('":"');
      this.#skipBlanks();
      members.set(key, this.#value(depth + 1));
      this.#way.pop();
      this.#skipBlanks();
    } while (this.#take(","));
    if (!this.#take("}")) throw this.#unexpected('"," or "}"');
    return members;
  }

  #items(depth: number): readonly JsonNode[] {
    const items: JsonNode[] = [];
    this.#at += 1;
    this.#skipBlanks();
    if (this.#take("]")) return items;
    do {
      this.#skipBlanks();
      this.#way.push(items.length + 1);
      items.push(this.#value(depth + 1));
      this.#way.pop();
      this.#skipBlanks();
    } while (this.#take(","));
    if (!this.#take("]")) throw this.#unexpected('"," or "]"');
    return items;
  }

  #string(): string {
    const start = this.#at;
    const parts: string[] = [];
    this.#at += 1;
    for (;;) {
      parts.push(this.#match(plainPattern));
      if (this.#take('"')) return parts.join("");
      if (!this.#take("\\")) {
        const isEnd = this.#at === this.#text.length;
        const problem = isEnd ? "a string is never closed" : "a control character stands in a string";
        throw this.#fault(isEnd ? start : this.#at, problem, isEnd ? 'Add the closing "' : "Write it as an escape");
      }
      parts.push(this.#escape());
    }
  }

  #escape(): string {
    const start = this.#at - 1;
    const character = this.#text[this.#at] ?? "";
    this.#at += 1;
    if (character === '"' || character === "\\" || character === "/") return character;
    const known = escapes[character];
    if (known !== undefined) return known;
    const code = /^[0-9A-Fa-f]{4}$/.exec(this.#text.slice(this.#at, this.#at + 4));
    if (character !== "u" || code === null) {
      throw this.#fault(start, "an unknown escape stands in a string", 'Double the "\\", or use an escape of JSON');
    }
    this.#at += 4;
    return String.fromCharCode(Number.parseInt(code[0], 16));
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #skipBlanks(): void {
    while (" \t\n\r".includes(this.#text[this.#at] ?? "x")) this.#at += 1;
  }

  #unexpected(expected: string): Error {
    const found = this.#text[this.#at];
    const problem = found === undefined ? "the document ends too early" : `not JSON: ${quote(found)}`;
    return this.#fault(this.#at, `${problem} where ${expected} belongs`, "Correct the document at this place");
  }

  #fault(offset: number, problem: string, remedy: string): Error {
    return invalidAt({ file: null, ...this.#lines.positionOf(offset), elementPath: this.#path() }, problem, remedy);
  }

  #path(): string | null {
    if (this.#rootPath === null || this.#way.length === 0) return null;
    const [first, ...rest] = this.#way;
    if (typeof first === "number") return null;
    // The root may or may not be told by its own name.
    const below = this.#rootPath === `/${first}` ? rest : this.#way;
    const steps = below
      .slice(0, LONGEST_WAY)
      .map((step) => (typeof step === "number" ? `[${step}]` : `/${step.slice(0, LONGEST_KEY)}`));
    return `${this.#rootPath}${steps.join("")}`;
  }
}
