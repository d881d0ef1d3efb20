import { quote, unsupportedAt } from "./document-error.js";
import { foldName } from "./element-rule.js";
import type { DocumentPlace } from "./xml-element.js";

/** What a hidden block can be. */
export type LayerKind = "dense" | "conv2d" | "maxPool" | "avgPool" | "flatten" | "dropout" | "batchNorm" | "activation";

/** By the start of a folded ID, as the known dialect names its blocks: `Convolutional1`, `MaxPooling1`, `DropOut2`. */
const kindsById: readonly (readonly [RegExp, LayerKind])[] = [
  [/^conv/, "conv2d"],
  [/^maxpool/, "maxPool"],
  [/^(?:average|avg)pool/, "avgPool"],
  [/^(?:flatten|flat\d*$)/, "flatten"],
  [/^dropout/, "dropout"],
  [/^batchnorm/, "batchNorm"],
];

/** Layers that an ID asks for, of which there are none here; `Conv_1_Dense` can't be told from `Conv1D`. */
const otherLayers = [
  /^(?:lstm|gru\d*$|embedding|simplernn|(?:depthwise|separable)conv|global(?:max|average|avg)pool)/,
  /^conv(?:(?:olution(?:al)?)?[13]d|[a-z]*[13]d(?![a-z])|[a-z]*(?:2d)?(?:transpose|lstm))/,
];

/** By the folded text of a block's parameter `type`. */
const kindsByType: ReadonlyMap<string, LayerKind> = new Map<string, LayerKind>([
  ["dense", "dense"],
  ["fullyconnected", "dense"],
  ["convolution", "conv2d"],
  ["convolutional", "conv2d"],
  ["conv2d", "conv2d"],
  ["maxpooling", "maxPool"],
  ["maxpool", "maxPool"],
  ["averagepooling", "avgPool"],
  ["avgpooling", "avgPool"],
  ["avgpool", "avgPool"],
  ["flatten", "flatten"],
  ["dropout", "dropout"],
  ["batchnormalization", "batchNorm"],
  ["batchnormalisation", "batchNorm"],
  ["batchnorm", "batchNorm"],
  ["activation", "activation"],
]);

/** The types as documentation and messages name them. */
export const layerTypes = [
  "dense",
  "convolution",
  "maxpooling",
  "avgpooling",
  "flatten",
  "dropout",
  "batchnormalization",
  "activation",
];

/** The layer that a block's ID asks for; dense where it names none. @throws RingstrasseError DOCUMENT_UNSUPPORTED */
export function kindOfId(id: string, place: DocumentPlace): LayerKind {
  const folded = foldName(id);
  if (otherLayers.some((pattern) => pattern.test(folded))) {
    throw unsupportedAt(place, `the ID ${quote(id)} asks for a layer that there is none of`, [
      "Convolutional…",
      "MaxPooling…",
      "AvgPooling…",
      "Flatten…",
      "DropOut…",
      "BatchNormalization…",
      "dense blocks under any other ID",
      "any ID beside a block parameter type",
    ]);
  }
  return kindsById.find(([pattern]) => pattern.test(folded))?.[1] ?? "dense";
}

/** The layer that a block's parameter `type` asks for. @throws RingstrasseError DOCUMENT_UNSUPPORTED */
export function kindOfType(type: string, place: DocumentPlace): LayerKind {
  const kind = kindsByType.get(foldName(type));
  if (kind !== undefined) return kind;
  throw unsupportedAt(place, `unknown type of block ${quote(type)}`, layerTypes);
}
