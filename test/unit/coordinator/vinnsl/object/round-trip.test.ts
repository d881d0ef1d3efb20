import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseVinnslJson } from "../../../../../coordinator/vinnsl/object/parse-vinnsl-json.js";
import { parseVinnslXml } from "../../../../../coordinator/vinnsl/object/parse-vinnsl-xml.js";
import { toVinnslJson } from "../../../../../coordinator/vinnsl/object/to-vinnsl-json.js";
import { toVinnslXml } from "../../../../../coordinator/vinnsl/object/to-vinnsl-xml.js";
import type { VinnslObject } from "../../../../../coordinator/vinnsl/object/vinnsl-object.js";
import { readDocument } from "../../../../../coordinator/vinnsl/read-document.js";
import type { XmlElement } from "../../../../../coordinator/vinnsl/xml-element.js";
import { RingstrasseError } from "../../../../../shared/failure.js";
import { anyObject } from "./any-object.js";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const viaXml = (object: VinnslObject) => parseVinnslXml(bytesOf(toVinnslXml(object)));
const viaJson = (object: VinnslObject) => parseVinnslJson(bytesOf(JSON.stringify(toVinnslJson(object, null))));

/** Thousands of documents on a machine that may have other work. */
const patienceMs = 180_000;

/** As `toEqual`, which takes a hundred times longer on objects that are equal. */
function expectSame(actual: VinnslObject, expected: VinnslObject): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toStrictEqual(expected);
}

describe("round trips", () => {
  it(
    "gives every generated object back from its XML, its JSON, and one after the other",
    () => {
      fc.assert(
        fc.property(anyObject, (object) => {
          expectSame(viaXml(object), object);
          expectSame(viaJson(object), object);
          expectSame(viaXml(viaJson(viaXml(object))), object);
        }),
        { numRuns: 200, seed: 11 },
      );
    },
    patienceMs,
  );

  it(
    "gives the same JSON for the same object, however often it went through",
    () => {
      fc.assert(
        fc.property(anyObject, (object) => {
          const once = JSON.stringify(toVinnslJson(object, null));
          expect(JSON.stringify(toVinnslJson(viaJson(viaXml(object)), null))).toBe(once);
        }),
        { numRuns: 50, seed: 12 },
      );
    },
    patienceMs,
  );

  it.each(["iris/iris.xml", "wines/wines.xml", "mnist/mnist.xml", "digits/digits.xml"])(
    "loses no element, attribute, text or order of examples/%s",
    (path) => {
      const bytes = readFileSync(new URL(`../../../../../examples/${path}`, import.meta.url));
      const object = parseVinnslXml(bytes);
      const xml = toVinnslXml(viaJson(object));
      expect(flatten(readDocument(bytesOf(xml), null))).toEqual(flatten(readDocument(bytes, null)));
      expect(xml).toContain("<comboparameter name=");
    },
  );
});

/** Every element with its path, attributes and text, in document order: the reader's own view. */
function flatten({ place, attributes, text, children }: XmlElement): unknown[] {
  return [[place.elementPath, [...attributes], text], ...children.flatMap(flatten)];
}

const example = readFileSync(new URL("../../../../../examples/iris/iris.xml", import.meta.url), "utf8");
const exampleJson = JSON.stringify(
  toVinnslJson(parseVinnslXml(bytesOf(example)), { status: "CREATED", dl4jNetwork: null }),
);
const pieces = [
  "<", ">", "&", "/", '"', "{", "}", "[", "]", ",", ":", "\\", "null", "-", "1e999", "<b>t</b>", "<a x='1'/>", "text",
  "]]>", "<!--", "<![CDATA[x]]>", "__proto__", "constructor", '"@a":1,', '"#text":"t",', '"#order":["a"],', '"#content":[],',
  '"__proto__":{},', "\u0000", "\\ud800", "\\u0000", "[[", "é", "\u{1F600}",
]; // biome-ignore format: a list of pieces

const damage = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    remove: fc.oneof({ weight: 5, arbitrary: fc.nat(2) }, fc.nat(30), fc.nat(400)),
    insert: fc.oneof(fc.constant(""), fc.constantFrom(...pieces), fc.stringMatching(/^[a-z0-9 .]{1,4}$/)),
    again: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(60)),
  }),
  { minLength: 1, maxLength: 3 },
);
type Damage = Parameters<Parameters<typeof damage.map>[0]>[0];

function damaged(text: string, cuts: Damage): string {
  return cuts.reduce((whole, { at, remove, insert, again }) => {
    const from = Math.floor(at * whole.length);
    return (
      whole.slice(0, from) + insert + whole.slice(from + remove, from + remove + again) + whole.slice(from + remove)
    );
  }, text);
}

/** A value somewhere in a JSON document, replaced, removed, doubled or given another key. */
const jsonDamage = fc.record({
  path: fc.array(fc.nat(12), { minLength: 1, maxLength: 9 }),
  how: fc.constantFrom("replace", "remove", "double", "rename", "add"),
  value: fc.oneof(
    fc.constantFrom<unknown>(
      "",
      4,
      0.1,
      true,
      null,
      [],
      {},
      [[]],
      "04",
      [null],
      { "#text": "x" },
      { "@a": 1 },
      -0,
      1e300,
    ),
    fc.constantFrom<unknown>({ name: "x", value: "y" }, [{ name: "x", value: 1, kind: "comboparameter" }], {
      value: 1,
      text: "1.0",
    }),
    fc.jsonValue({ maxDepth: 2 }),
  ),
  key: fc.constantFrom(
    "id",
    "ID",
    "#order",
    "#content",
    "#text",
    "@name",
    "name",
    "value",
    "kind",
    "hidden",
    "a b",
    "x",
    "toString",
  ),
});
type JsonDamage = Parameters<Parameters<typeof jsonDamage.map>[0]>[0];

function changed(json: unknown, damageOf: JsonDamage): unknown {
  const [index = 0, ...path] = damageOf.path;
  const entries: [string, unknown][] = typeof json === "object" && json !== null ? Object.entries(json) : [];
  const at = entries.length === 0 ? -1 : index % entries.length;
  const entry = entries[at];
  if (entry === undefined) return damageOf.value;
  const [key, value] = entry;
  const inner = typeof value === "object" && value !== null && path.length > 0;
  if (inner) entries[at] = [key, changed(value, { ...damageOf, path })];
  else if (damageOf.how === "remove") entries.splice(at, 1);
  else if (damageOf.how === "double") entries[at] = [key, [value, value]];
  else if (damageOf.how === "rename") entries[at] = [damageOf.key, value];
  else if (damageOf.how === "add") entries.push([damageOf.key, damageOf.value]);
  else entries[at] = [key, damageOf.value];
  return Array.isArray(json) ? entries.map(([, each]) => each) : Object.fromEntries(entries);
}

/** Whether a document is read (then it must go through everything) or refused with a place. */
function outcomeOf(parse: (bytes: Uint8Array) => VinnslObject, text: string): "read" | "refused" {
  let object: VinnslObject;
  try {
    object = parse(bytesOf(text));
  } catch (thrown) {
    if (!(thrown instanceof RingstrasseError)) throw thrown;
    const { failure } = thrown;
    if (failure.code !== "DOCUMENT_INVALID" && failure.code !== "DOCUMENT_UNSUPPORTED") throw thrown;
    expect(failure.line).toBeGreaterThan(0);
    expect(failure.problem).not.toBe("");
    return "refused";
  }
  expectSame(viaXml(object), object);
  expectSame(viaJson(object), object);
  return "read";
}

describe("mutated documents", () => {
  it(
    "reads or refuses 2,000 damaged XML documents, and loses nothing of what it reads",
    () => {
      const seen = { read: 0, refused: 0 };
      fc.assert(
        fc.property(damage, (cuts) => {
          seen[outcomeOf(parseVinnslXml, damaged(example, cuts))] += 1;
        }),
        { numRuns: 2_000, seed: 13 },
      );
      expect(Math.min(seen.read, seen.refused)).toBeGreaterThan(40);
    },
    patienceMs,
  );

  it(
    "reads or refuses 2,000 damaged JSON documents, and loses nothing of what it reads",
    () => {
      const seen = { read: 0, refused: 0 };
      fc.assert(
        fc.property(fc.array(jsonDamage, { minLength: 1, maxLength: 3 }), damage, (changes, cuts) => {
          const text = JSON.stringify(changes.reduce(changed, JSON.parse(exampleJson)));
          seen[outcomeOf(parseVinnslJson, text)] += 1;
          outcomeOf(parseVinnslJson, damaged(text, cuts));
        }),
        { numRuns: 1_000, seed: 14 },
      );
      expect(Math.min(seen.read, seen.refused)).toBeGreaterThan(100);
    },
    patienceMs,
  );

  it(
    "reads or refuses any JSON value",
    () => {
      const seen = { read: 0, refused: 0 };
      fc.assert(
        fc.property(
          fc.jsonValue({ maxDepth: 6 }),
          fc.constantFrom("definition", "data", "other", "result"),
          (value, key) => {
            outcomeOf(parseVinnslJson, JSON.stringify(value));
            seen[
              outcomeOf(
                parseVinnslJson,
                JSON.stringify({ [key]: { parameters: value, structure: { hidden: value }, x: value } }),
              )
            ] += 1;
          },
        ),
        { numRuns: 500, seed: 15 },
      );
      expect(Math.min(seen.read, seen.refused)).toBeGreaterThan(50);
    },
    patienceMs,
  );
});
