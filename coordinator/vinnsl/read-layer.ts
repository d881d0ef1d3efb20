import { PaddingSchema } from "../../shared/model-spec.js";
import { invalidAt, quote, unsupportedAt } from "./document-error.js";
import { childOf, foldName } from "./element-rule.js";
import type { LayerKind } from "./layer-kind.js";
import type { NamedValue } from "./named-values.js";
import type { BlockLayer, Extent, Movement, Normalisation } from "./network-definition.js";
import { readExtent } from "./read-extent.js";
import { readNumber } from "./read-number.js";
import type { XmlElement } from "./xml-element.js";

/** What a block's own parameters can say. */
export type LayerParameter =
  | "type"
  | "activation"
  | "filters"
  | "kernel"
  | "stride"
  | "padding"
  | "window"
  | "rate"
  | "l2"
  | "batchnormalization"
  | "momentum"
  | "epsilon";

/** Which parameters each kind of block has. */
export const parametersByKind: Readonly<Record<LayerKind, readonly LayerParameter[]>> = {
  dense: ["type", "activation", "l2", "batchnormalization", "momentum", "epsilon"],
  conv2d: [
    "type",
    "activation",
    "filters",
    "kernel",
    "stride",
    "padding",
    "l2",
    "batchnormalization",
    "momentum",
    "epsilon",
  ],
  maxPool: ["type", "window", "stride", "padding"],
  avgPool: ["type", "window", "stride", "padding"],
  flatten: ["type"],
  dropout: ["type", "rate"],
  batchNorm: ["type", "momentum", "epsilon"],
  activation: ["type", "activation"],
};

/** Whether a parameter has a meaning in blocks of that tag: an input computes nothing, and an output is not normalised. */
export function isUnderstood(parameter: LayerParameter, tag: string): boolean {
  if (tag === "input") return parameter === "activation";
  return tag === "hidden" || ["type", "activation", "l2"].includes(parameter);
}

/** Where a normalisation's parameters are not given. */
export const defaultNormalisation: Normalisation = { momentum: 0.9, epsilon: 1e-3 };

const defaultKernel: Extent = [3, 3];
const defaultWindow: Extent = [2, 2];
const maxFilters = 1_000_000;
const below1 = { whole: false, min: 0, lessThan: 1 } as const;

export interface LayerToRead {
  readonly kind: LayerKind;
  /** The block's, as written. */
  readonly size: number | null;
  readonly found: ReadonlyMap<LayerParameter, NamedValue>;
  readonly element: XmlElement;
}

export interface LayerReading {
  /** Null: dense. */
  readonly layer: BlockLayer | null;
  readonly l2: number | null;
  readonly normalisation: Normalisation | null;
  readonly warnings: readonly string[];
}

/**
 * What a block computes, from its kind, its size and its own parameters. The size is the dialect's shorthand: filters of a convolution, side
 * of a pooling window, per cent of a dropout.
 *
 * @throws RingstrasseError DOCUMENT_INVALID: values that are wrong, missing, or contradict the size; DOCUMENT_UNSUPPORTED: another padding
 */
export function readLayer(block: LayerToRead): LayerReading {
  const { found } = block;
  const l2 = found.get("l2");
  return {
    layer: layerOf(block),
    l2: l2 === undefined ? null : readNumber(l2.element, "l2", { whole: false, min: 0 }),
    normalisation: readNormalisation(block),
    warnings: warnAboutSize(block),
  };
}

function layerOf(block: LayerToRead): BlockLayer | null {
  const { kind, found } = block;
  switch (kind) {
    case "dense":
      return null;
    case "conv2d": {
      const kernel = extentOf(found.get("kernel"), "kernel") ?? defaultKernel;
      return { kind, filters: filtersOf(block), kernel, ...movementOf(block, [1, 1]) };
    }
    case "maxPool":
    case "avgPool": {
      const window = windowOf(block);
      return { kind, window, ...movementOf(block, window) };
    }
    case "dropout":
      return { kind, rate: rateOf(block) };
    case "batchNorm":
      return { kind, ...momentsOf(block) };
    default:
      return { kind };
  }
}

function filtersOf({ found, size, element }: LayerToRead): number {
  const value = found.get("filters");
  if (value === undefined) return size ?? missing(element, "filters", "Give its number as <size>");
  const filters = readNumber(value.element, "filters", { whole: true, min: 1, max: maxFilters });
  if (size === null || size === filters) return filters;
  throw contradiction(value, `filters is ${filters}`, size);
}

function windowOf({ found, size }: LayerToRead): Extent {
  const value = found.get("window");
  const window = extentOf(value, "window");
  if (value === undefined || window === null) return size === null ? defaultWindow : [size, size];
  if (size === null || size === 1 || window.every((side) => side === size)) return window;
  throw contradiction(value, `window is ${window.join("x")}`, size);
}

function rateOf({ found, size, element }: LayerToRead): number {
  const value = found.get("rate");
  const sizeElement = childOf(element, "size");
  if (value === undefined) {
    if (size === null || sizeElement === undefined) {
      return missing(element, "rate", "Give the parameter rate, or its per cent as <size>");
    }
    return readNumber(sizeElement, "size (per cent that are dropped)", { whole: true, min: 1, max: 99 }) / 100;
  }
  const rate = readNumber(value.element, "rate", below1);
  if (size === null || size === 1 || size / 100 === rate) return rate;
  throw contradiction(value, `rate is ${rate}`, size);
}

function movementOf({ found }: LayerToRead, otherwise: Extent): Movement {
  return {
    stride: extentOf(found.get("stride"), "stride") ?? otherwise,
    padding: paddingOf(found.get("padding")),
  };
}

function paddingOf(value: NamedValue | undefined): Movement["padding"] {
  if (value === undefined) return "valid";
  const parsed = PaddingSchema.safeParse(foldName(value.element.text));
  if (parsed.success) return parsed.data;
  const problem = `unknown padding ${quote(value.element.text)}`;
  throw unsupportedAt(value.element.place, problem, PaddingSchema.options);
}

function extentOf(value: NamedValue | undefined, what: string): Extent | null {
  return value === undefined ? null : readExtent(value.element, what);
}

/** Of a dense or convolution block: whether it is normalised, and how. */
function readNormalisation(block: LayerToRead): Normalisation | null {
  const { kind, found } = block;
  if (kind !== "dense" && kind !== "conv2d") return null;
  const value = found.get("batchnormalization");
  const text = value?.element.text.toLowerCase() ?? "false";
  if (value !== undefined && !["true", "false", "1", "0"].includes(text)) {
    throw invalidAt(value.element.place, `${value.name} is ${quote(value.element.text)}`, "Write true or false");
  }
  if (text === "true" || text === "1") return momentsOf(block);
  const [alone] = (["momentum", "epsilon"] as const).flatMap((name) => found.get(name) ?? []);
  if (alone === undefined) return null;
  const problem = `${alone.name} belongs to batch normalisation, which the block does not have`;
  throw invalidAt(alone.element.place, problem, "Set the block's batchnormalization to true, or remove it");
}

function momentsOf({ found }: LayerToRead): Normalisation {
  const [momentum, epsilon] = [found.get("momentum"), found.get("epsilon")];
  return {
    momentum: momentum === undefined ? defaultNormalisation.momentum : readNumber(momentum.element, "momentum", below1),
    epsilon:
      epsilon === undefined
        ? defaultNormalisation.epsilon
        : readNumber(epsilon.element, "epsilon", { whole: false, moreThan: 0 }),
  };
}

/** The schema requires a size where it means nothing. */
function warnAboutSize({ kind, size, element }: LayerToRead): string[] {
  if (size === null || size === 1 || (kind !== "flatten" && kind !== "batchNorm" && kind !== "activation")) return [];
  const place = childOf(element, "size")?.place ?? element.place;
  return [`${place.elementPath}: the size ${size} of a block of the type ${kind} has no effect`];
}

function missing(element: XmlElement, what: string, remedy: string): never {
  throw invalidAt(element.place, `the block has no ${what}`, remedy);
}

function contradiction({ element }: NamedValue, problem: string, size: number) {
  return invalidAt(element.place, `${problem}, but the block's size ${size} means the same`, "Make the two agree");
}
