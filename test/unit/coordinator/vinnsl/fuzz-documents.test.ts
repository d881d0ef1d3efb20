import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readNetwork } from "../../../../coordinator/vinnsl/read-network.js";
import { RingstrasseError } from "../../../../shared/failure.js";

const example = readFileSync(new URL("../../../../examples/iris/iris.xml", import.meta.url), "utf8");
const tags = [...example.matchAll(/<\/?[A-Za-z][^>]*>/g)].map((match) => ({ text: match[0], at: match.index }));
const leaves = [...example.matchAll(/<([A-Za-z]\w*)[^<>]*>([^<>]*)<\/\1>/g)].map((match) => ({
  text: match[0],
  value: match[2] ?? "",
  at: match.index,
}));
const names = [...new Set(tags.map(({ text }) => /\w+/.exec(text)?.[0] ?? ""))];

type Mutation = (xml: string) => string;

const values = fc.oneof(
  fc.constantFrom(
    "",
    "0",
    "-1",
    "1e9",
    "1e999",
    "NaN",
    "0x10",
    "3.5",
    "Hidden2",
    "Input1",
    "true",
    "LSTM",
    "&lt;",
    "&x;",
  ),
  fc.string({ maxLength: 12 }),
  fc.double().map(String),
);

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  // An element that has no children of its own: replaced value, deleted, doubled, renamed.
  fc.tuple(fc.constantFrom(...leaves), values).map(
    ([{ text, value }, other]): Mutation =>
      (xml) =>
        xml.replace(text, () => text.replace(`>${value}<`, () => `>${other}<`)),
  ),
  fc.constantFrom(...leaves).map(
    ({ text }): Mutation =>
      (xml) =>
        xml.replace(text, ""),
  ),
  fc.constantFrom(...leaves).map(
    ({ text }): Mutation =>
      (xml) =>
        xml.replace(text, () => text + text),
  ),
  fc.tuple(fc.constantFrom(...names), fc.constantFrom(...names, "unknown", "__proto__", "toString", "a:b", "1x")).map(
    ([from, to]): Mutation =>
      (xml) =>
        xml.replaceAll(new RegExp(`(</?)${from}\\b`, "g"), (_, open: string) => open + to),
  ),
  // A single tag gone or doubled, an attribute changed.
  fc.tuple(fc.constantFrom(...tags), fc.constantFrom("", "twice")).map(
    ([{ text }, how]): Mutation =>
      (xml) =>
        xml.replace(text, () => (how === "" ? "" : text + text)),
  ),
  values.map(
    (text): Mutation =>
      (xml) =>
        xml.replace(/name="[^"]*"/, () => `name="${text}"`),
  ),
  // A whole span of the document gone, doubled or moved; the end cut off; something put in.
  fc.tuple(fc.nat(example.length), fc.nat(400)).map(
    ([at, length]): Mutation =>
      (xml) =>
        xml.slice(0, at) + xml.slice(at + length),
  ),
  fc.tuple(fc.constantFrom(...tags), fc.constantFrom(...tags)).map(
    ([one, other]): Mutation =>
      (xml) => {
        const [from, to] = [Math.min(one.at, other.at), Math.max(one.at, other.at)];
        return xml.slice(0, to) + xml.slice(from, to) + xml.slice(to);
      },
  ),
  fc.nat(example.length).map(
    (at): Mutation =>
      (xml) =>
        xml.slice(0, at),
  ),
  fc
    .tuple(
      fc.nat(example.length),
      fc.constantFrom("<", ">", "&", '"', "]]>", "<!--", "<![CDATA[", "<?x?>", "\u0000", "\uD800"),
    )
    .map(
      ([at, text]): Mutation =>
        (xml) =>
          xml.slice(0, at) + text + xml.slice(at),
    ),
);

/** What became of a document; anything but a network or a refusal with a place is thrown. */
function outcomeOf(bytes: Uint8Array): "read" | "invalid" | "unsupported" {
  try {
    const network = readNetwork(bytes, "fuzz.xml");
    expect(network.input.size).toBeGreaterThan(0);
    return "read";
  } catch (thrown) {
    if (!(thrown instanceof RingstrasseError)) throw thrown;
    const { failure } = thrown;
    if (failure.code !== "DOCUMENT_INVALID" && failure.code !== "DOCUMENT_UNSUPPORTED") throw thrown;
    expect(failure.file).toBe("fuzz.xml");
    expect(failure.line).toBeGreaterThan(0);
    expect(failure.problem).not.toBe("");
    if (failure.code === "DOCUMENT_INVALID") return "invalid";
    expect(failure.elementPath).toMatch(/^\//);
    expect(failure.supported.length).toBeGreaterThan(0);
    return "unsupported";
  }
}

describe("mutated documents", () => {
  it("gives a network or a refusal with a place for 3,000 mutations of the example, and both do occur", () => {
    const seen = { read: 0, invalid: 0, unsupported: 0 };
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (mutations) => {
        const xml = mutations.reduce((text, mutate) => mutate(text), example);
        seen[outcomeOf(new TextEncoder().encode(xml))] += 1;
      }),
      { numRuns: 3_000, seed: 3 },
    );
    expect(Math.min(seen.read, seen.invalid, seen.unsupported)).toBeGreaterThan(30);
  });

  it("never fails otherwise on bytes of any kind", () => {
    const bytes = new TextEncoder().encode(example);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(bytes.length), (piece, at) => {
        outcomeOf(piece);
        outcomeOf(new Uint8Array([...bytes.subarray(0, at), ...piece, ...bytes.subarray(at)]));
      }),
      { numRuns: 500, seed: 4 },
    );
  });
});
