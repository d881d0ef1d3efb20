import { parseVinnslXml } from "../../coordinator/vinnsl/object/parse-vinnsl-xml.js";
import { toVinnslJson } from "../../coordinator/vinnsl/object/to-vinnsl-json.js";
import { Dice } from "./dice.js";
import { mutateJson } from "./mutate-json.js";
import { HARD_XML_MUTATIONS, SOFT_XML_MUTATIONS, type XmlMutation } from "./mutate-xml.js";
import type { SourceDocument } from "./published-like-documents.js";

/** What somebody might send as a document. */
export interface MutatedDocument {
  readonly format: "xml" | "json";
  readonly bytes: Uint8Array;
  /** Source and mutations, for messages: with the number and the seed it is found again. */
  readonly story: string;
}

/** A server takes longer ones too, but none of these says more. */
const MAX_LENGTH = 500_000;
/** One in so many is sent as JSON. */
const JSON_SHARE = 4;

/** `count` documents, each made of one of `sources` by one to four mutations of text and then perhaps of bytes; a pure function of the seed. */
export function* mutatedDocuments(
  sources: readonly SourceDocument[],
  { count, seed }: { readonly count: number; readonly seed: number },
): Generator<MutatedDocument, void, void> {
  const dice = new Dice(seed);
  const jsons = sources.map(({ xml }) => JSON.stringify(toVinnslJson(parseVinnslXml(Buffer.from(xml)), null)));
  for (let number = 0; number < count; number++) {
    const index = dice.below(sources.length);
    const { name = "", xml = "" } = sources[index] ?? {};
    const format = dice.oncePer(JSON_SHARE) ? "json" : "xml";
    const mutations = 1 + (dice.oncePer(2) ? 0 : dice.below(4));
    const { text, done } =
      format === "json" ? mutateJson(jsons[index] ?? "", mutations, dice) : mutateXml(xml, mutations, dice);
    const { bytes, how } = encode(text.slice(0, MAX_LENGTH), dice);
    yield { format, bytes, story: `#${number} of seed ${seed}: ${name} as ${format}: ${[...done, ...how].join(", ")}` };
  }
}

function mutateXml(xml: string, count: number, dice: Dice): { readonly text: string; readonly done: string[] } {
  let text = xml;
  const done: string[] = [];
  for (let left = count; left > 0; left--) {
    const mutations: Readonly<Record<string, XmlMutation>> = dice.oncePer(5) ? HARD_XML_MUTATIONS : SOFT_XML_MUTATIONS;
    const name = dice.one(Object.keys(mutations));
    done.push(name);
    text = mutations[name]?.(text, dice) ?? text;
  }
  return { text, done };
}

/** Mostly UTF-8 as it should be. */
function encode(text: string, dice: Dice): { readonly bytes: Uint8Array; readonly how: readonly string[] } {
  if (!dice.oncePer(8)) return { bytes: Buffer.from(text), how: [] };
  const how = dice.one(["mark", "utf16le", "utf16be", "latin1", "flip", "flip", "byte"] as const);
  return { bytes: encodeAs(how, text, dice), how: [how] };
}

function encodeAs(
  how: "mark" | "utf16le" | "utf16be" | "latin1" | "flip" | "byte",
  text: string,
  dice: Dice,
): Uint8Array {
  switch (how) {
    case "mark":
      return Buffer.from(`\uFEFF${text}`);
    case "utf16le":
      return Buffer.from(`\uFEFF${text}`, "utf16le");
    case "utf16be":
      return Buffer.from(`\uFEFF${text}`, "utf16le").swap16();
    case "latin1":
      return Buffer.from(text, "latin1");
    case "flip": {
      const bytes = Buffer.from(text);
      for (let left = 1 + dice.below(4); left > 0 && bytes.length > 0; left--) {
        const at = dice.below(bytes.length);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << dice.below(8));
      }
      return bytes;
    }
    case "byte": {
      const bytes = Buffer.from(text);
      const at = dice.below(bytes.length + 1);
      const strange = Buffer.from([dice.one([0x00, 0x80, 0xc0, 0xc1, 0xed, 0xf5, 0xfe, 0xff])]);
      return Buffer.concat([bytes.subarray(0, at), strange, bytes.subarray(at)]);
    }
  }
}
