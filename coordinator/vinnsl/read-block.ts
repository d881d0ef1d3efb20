import type { BlockReading } from "./block-reading.js";
import { invalidAt, quote, unsupportedAt } from "./document-error.js";
import { checkElement, childOf, leafText, requireChild, textOnly } from "./element-rule.js";
import { kindOfId, kindOfType, type LayerKind } from "./layer-kind.js";
import type { NamedValue } from "./named-values.js";
import { byMeaning, readNamedValues } from "./named-values.js";
import { isActivation, readActivation } from "./read-activation.js";
import { readDimension } from "./read-dimension.js";
import { isUnderstood, type LayerParameter, parametersByKind, readLayer } from "./read-layer.js";
import { readNumber } from "./read-number.js";
import type { XmlElement } from "./xml-element.js";

const maxBlockSize = 1_000_000;

/** By folded name. */
const meanings: ReadonlyMap<string, LayerParameter> = new Map<string, LayerParameter>([
  ["type", "type"],
  ["layertype", "type"],
  ["filters", "filters"],
  ["kernel", "kernel"],
  ["kernelsize", "kernel"],
  ["stride", "stride"],
  ["strides", "stride"],
  ["padding", "padding"],
  ["window", "window"],
  ["pool", "window"],
  ["poolsize", "window"],
  ["rate", "rate"],
  ["dropoutrate", "rate"],
  ["l2", "l2"],
  ["batchnormalization", "batchnormalization"],
  ["batchnormalisation", "batchnormalization"],
  ["batchnorm", "batchnormalization"],
  ["momentum", "momentum"],
  ["epsilon", "epsilon"],
]);

/**
 * Reads the `<input>`, a `<hidden>` or the `<output>`. What a hidden block is, its parameter `type` says, else its ID, as in the known
 * dialect; under any other ID it is dense.
 *
 * @throws RingstrasseError DOCUMENT_INVALID: missing or wrong ID, size, dimension or parameter; DOCUMENT_UNSUPPORTED: layers and parameters
 *   that there are none of
 */
export function readBlock(element: XmlElement): BlockReading {
  checkElement(element, { children: ["ID", "dimension", "size", "parameters", "activation"] });
  const idElement = requireChild(element, "ID");
  const id = leafText(element, "ID");
  if (id === null) throw invalidAt(idElement.place, "ID is empty", "Give the block a name, e.g. Hidden1");
  const found = byMeaning([...readNamedValues(childOf(element, "parameters")), ...activationChild(element)], meaningOf);
  const kind = kindOf(element, { id, idElement, type: found.get("type") });
  refuseOthers(found, { kind, tag: element.name });
  const size = readSize(element, kind);
  const { layer, l2, normalisation, warnings } = readLayer({ kind, size, found, element });
  const activation = found.get("activation");
  const isInput = element.name === "input";
  return {
    id,
    size,
    dimension: readDimension(element, isInput || kind === "dense" ? size : null),
    layer: isInput ? null : layer,
    activation: activation === undefined ? null : readActivation(activation.element),
    l2,
    normalisation,
    warnings: isInput && kind !== "dense" ? [describeInput(element, id)] : warnings,
    element,
  };
}

interface Naming {
  readonly id: string;
  readonly idElement: XmlElement;
  readonly type: NamedValue | undefined;
}

function kindOf({ name: tag }: XmlElement, { id, idElement, type }: Naming): LayerKind {
  const kind = type === undefined ? kindOfId(id, idElement.place) : kindOfType(type.element.text, type.element.place);
  // A published document calls its input Convolutional1, and the first convolution Convolutional2.
  if (tag === "hidden" || kind === "dense" || (tag === "input" && kind === "conv2d" && type === undefined)) return kind;
  const place = type?.element.place ?? idElement.place;
  throw unsupportedAt(place, `the ${tag} block ${quote(id)} asks for a layer that is not dense`, [
    tag === "input" ? "an input block that passes its rows on, e.g. Input1" : "a dense output block, e.g. Output1",
    `${kind} as a hidden block`,
  ]);
}

function describeInput({ place }: XmlElement, id: string): string {
  return `${place.elementPath}: the input block ${id} only passes its rows on; a convolution is a hidden block`;
}

function meaningOf(value: NamedValue): LayerParameter {
  const meaning = isActivation(value) ? "activation" : meanings.get(value.key);
  if (meaning !== undefined) return meaning;
  throw unsupportedAt(value.element.place, `unknown parameter ${quote(value.name)} of a block`, [
    ...new Set([...Object.values(parametersByKind).flat()].map(spelling)),
  ]);
}

/** As documents write it. */
function spelling(parameter: LayerParameter): string {
  return parameter === "activation" ? "activationfunction" : parameter;
}

function refuseOthers(
  found: ReadonlyMap<LayerParameter, NamedValue>,
  { kind, tag }: { readonly kind: LayerKind; readonly tag: string },
): void {
  const understood = parametersByKind[kind].filter((parameter) => isUnderstood(parameter, tag));
  for (const [parameter, { name, element }] of found) {
    if (understood.includes(parameter)) continue;
    const what = tag === "hidden" ? `a block of the type ${kind}` : `the ${tag} block`;
    throw unsupportedAt(element.place, `${what} has no parameter ${quote(name)}`, understood.map(spelling));
  }
}

function readSize(element: XmlElement, kind: LayerKind): number | null {
  const needed = element.name !== "hidden" || kind === "dense";
  const sizeElement = needed ? requireChild(element, "size") : childOf(element, "size");
  if (sizeElement === undefined) return null;
  checkElement(sizeElement, textOnly);
  return readNumber(sizeElement, "size", { whole: true, min: 1, max: maxBlockSize });
}

function activationChild(block: XmlElement): NamedValue[] {
  const element = childOf(block, "activation");
  if (element === undefined) return [];
  checkElement(element, textOnly);
  return [{ name: "activation", key: "activation", element }];
}
