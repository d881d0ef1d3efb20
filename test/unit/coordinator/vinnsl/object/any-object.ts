import fc from "fast-check";
import { normalElement } from "../../../../../coordinator/vinnsl/object/normal-content.js";
import type { ObjectElement } from "../../../../../coordinator/vinnsl/object/object-element.js";
import { type Shape, shapeOfChild } from "../../../../../coordinator/vinnsl/object/object-shape.js";
import { shapeOfPart, vinnslShape } from "../../../../../coordinator/vinnsl/object/object-shapes.js";
import { PART_NAMES, type VinnslObject } from "../../../../../coordinator/vinnsl/object/vinnsl-object.js";

/** Names that mean something in JSON, in JavaScript or in another place. */
const trickyNames = [
  "id", "ID", "name", "value", "kind", "text", "type", "version", "toString", "hasOwnProperty", "valueOf", "length",
  "valueparameterOrBoolparameterOrComboparameter", "fullconnectedAndShortcuts", "fromblockAndToblock", "nncloud",
  "inputAndOutput", "vinnsl", "unknown", "x-y.z_1", "größe",
] as const; // biome-ignore format: a list of words

const characters = fc.constantFrom(..."abcXYZ0189 .,;:<>&\"'\\/-+_#@$%{}[]äß漢\u{1F600}\t\n\r\u00A0".match(/./gsu)!);
const anyText = fc.oneof(
  fc.constantFrom("", "0", "4", "04", "-0", "+1", "0.1", "0.10", ".5", "1e-4", "1E5", "1e999", "true", "1", " 7 ", "\n\t ", "null"),
  fc.string({ unit: characters, maxLength: 12 }),
  fc.double({ noNaN: true }).map(String),
  fc.integer().map(String),
); // biome-ignore format: a list of words

const anyAttributes = fc
  .dictionary(
    fc.constantFrom("name", "value", "type", "version", "kind", "text", "xsi:type", "xml:lang", "xmlns:xsi", "größe"),
    anyText,
    { maxKeys: 3 },
  )
  .map((record): ReadonlyMap<string, string> => new Map(Object.entries(record)));

function anyContent(shape: Shape | null, depth: number): fc.Arbitrary<(string | ObjectElement)[]> {
  const known = shape?.kind === "object" ? [...shape.fields.keys()] : [];
  const name = known.length === 0 ? fc.constantFrom(...trickyNames) : fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...known) },
    { weight: 1, arbitrary: fc.constantFrom(...trickyNames) },
  ); // biome-ignore format: as written
  const child = name.chain((childName) => anyElement(childName, shapeOfChild(shape, childName), depth - 1));
  const leaf = anyText.map((text): (string | ObjectElement)[] => [text]);
  if (depth <= 0) return leaf;
  return fc.oneof(
    { weight: shape?.kind === "object" ? 1 : 4, arbitrary: leaf },
    { weight: 4, arbitrary: fc.array(child, { maxLength: 4 }) },
    { weight: 1, arbitrary: fc.array(fc.oneof(anyText, child), { maxLength: 4 }) },
  );
}

function anyElement(name: string, shape: Shape | null, depth: number): fc.Arbitrary<ObjectElement> {
  return fc
    .record({
      attributes: fc.oneof({ weight: 3, arbitrary: fc.constant(new Map()) }, anyAttributes),
      content: anyContent(shape, depth),
    })
    .map(({ attributes, content }) => ({ name, attributes, content }));
}

/** Vinnsl objects of any content, in normal form; many of them nonsense, all of them legal XML. */
export const anyObject: fc.Arbitrary<VinnslObject> = fc
  .record({
    parts: fc
      .subarray([...PART_NAMES])
      .chain((names) =>
        fc.tuple(
          ...names.map((name) =>
            name === "identifier"
              ? anyText.map((text): ObjectElement => ({ name, attributes: new Map(), content: [text] }))
              : anyElement(name, shapeOfPart(name), 6),
          ),
        ),
      ),
    strangers: fc.array(anyElement("stranger", null, 2), { maxLength: 2 }),
    attributes: anyAttributes,
  })
  .chain(({ parts, strangers, attributes }) =>
    fc
      .shuffledSubarray([...parts, ...strangers], { minLength: parts.length + strangers.length })
      .map((content): VinnslObject => ({ root: normalElement({ name: "vinnsl", attributes, content }, vinnslShape) })),
  );
