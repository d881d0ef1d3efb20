import type { DenseLayerSpec, LayerSpec, Padding } from "./model-spec.js";
import { unreachable } from "./unreachable.js";

/** Stands for the rows themselves where a layer is named; no layer's name can be this. */
export const INPUT_ROWS = "@input";

/** Of one row: `[features]`, or `[height, width, channels]` of an image. */
export type RowShape = readonly number[];

/** The part of a model that decides its shapes. */
export interface LayerStack {
  readonly inputs: number;
  readonly inputShape?: readonly [number, number, number] | undefined;
  readonly layers: readonly LayerSpec[];
}

export interface ShapedLayer {
  readonly layer: LayerSpec;
  /** Of a layer with shortcuts: all that goes in, joined. */
  readonly input: RowShape;
  readonly output: RowShape;
  /** The layers whose outputs are joined behind the previous one's, by index; −1: the rows. Empty but for shortcuts. */
  readonly shortcuts: readonly number[];
}

/** Where along one axis a window moves: `before` and `after` are the zeros (or nothing, for pooling) put around. */
export interface WindowAxis {
  readonly positions: number;
  readonly before: number;
  readonly after: number;
}

/** Elements of a row of that shape. */
export function widthOf(shape: RowShape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * Every layer with what goes in and comes out. Pure.
 * @throws RangeError when layers don't fit each other: `ModelSpecSchema` refuses such a model.
 */
export function layerWithShapes(stack: LayerStack): ShapedLayer[] {
  const shaped: ShapedLayer[] = [];
  for (const layer of stack.layers) {
    const next = shapeLayer(stack, shaped, layer);
    if (typeof next === "string") throw new RangeError(`layer ${layer.name}: ${next}`);
    shaped.push(next);
  }
  return shaped;
}

/** Shapes of the rows that come out of each layer. @throws RangeError as {@link layerWithShapes}. */
export function layerShapes(stack: LayerStack): RowShape[] {
  return layerWithShapes(stack).map(({ output }) => output);
}

/** What is wrong with a stack of layers, and where; null: nothing. */
export function checkLayers(stack: LayerStack): { path: (string | number)[]; message: string } | null {
  const { inputs, inputShape, layers } = stack;
  if (inputShape !== undefined && widthOf(inputShape) !== inputs) {
    return { path: ["inputShape"], message: `${inputShape.join(" × ")} are not ${inputs} features` };
  }
  const shaped: ShapedLayer[] = [];
  for (const [index, layer] of layers.entries()) {
    const next = shapeLayer(stack, shaped, layer);
    if (typeof next === "string") return { path: ["layers", index], message: `layer ${layer.name}: ${next}` };
    shaped.push(next);
  }
  const last = layers.at(-1);
  if (last === undefined || last.kind === "dense") return null;
  return { path: ["layers", layers.length - 1], message: `the last layer is ${last.kind}: it has to be dense` };
}

/** ⌈size / stride⌉ positions for `same`, ⌈(size − window + 1) / stride⌉ for `valid`, as TensorFlow counts. */
export function windowAxis(size: number, window: number, stride: number, padding: Padding): WindowAxis {
  if (padding === "valid") return { positions: Math.ceil((size - window + 1) / stride), before: 0, after: 0 };
  const positions = Math.ceil(size / stride);
  const missing = Math.max(0, (positions - 1) * stride + window - size);
  return { positions, before: Math.floor(missing / 2), after: Math.ceil(missing / 2) };
}

/** The layer behind those that are shaped already, or what is wrong. */
function shapeLayer(stack: LayerStack, before: readonly ShapedLayer[], layer: LayerSpec): ShapedLayer | string {
  const rows: RowShape = stack.inputShape ?? [stack.inputs];
  const previous = before.at(-1)?.output ?? rows;
  const output = layerOutput(layer, previous);
  if (typeof output === "string") return output;
  if (layer.kind !== "dense" || layer.from === undefined) return { layer, input: previous, output, shortcuts: [] };
  const shortcuts = findShortcuts(layer, before);
  if (typeof shortcuts === "string") return shortcuts;
  const widths = shortcuts.map((index) => widthOf(before[index]?.output ?? rows));
  const input = [widths.reduce((sum, width) => sum + width, widthOf(previous))];
  return { layer, input, output, shortcuts };
}

function findShortcuts({ from = [] }: DenseLayerSpec, before: readonly ShapedLayer[]): number[] | string {
  const names = [INPUT_ROWS, ...before.map(({ layer }) => layer.name)];
  const found: number[] = [];
  for (const name of from) {
    const index = names.indexOf(name) - 1;
    if (index === -2) return `there is no layer ${name} before it to take a shortcut from`;
    if (names.lastIndexOf(name) !== index + 1) return `several layers before it have the name ${name}`;
    if (index === before.length - 1) return `${name} goes into it anyway; a shortcut leads over one layer or more`;
    if (found.includes(index)) return `it has two shortcuts from ${name}`;
    found.push(index);
  }
  return found;
}

/** The shape that comes out of a layer, shortcuts left out of account, or what is wrong. Pure. */
export function layerOutput(layer: LayerSpec, input: RowShape): RowShape | string {
  switch (layer.kind) {
    case "dense":
      if (input.length !== 1) return `dense takes flat rows, not ${input.join(" × ")}; put a flatten layer before it`;
      return [layer.units];
    case "conv2d":
      return windowed(input, layer, layer.kernel, layer.filters);
    case "maxPool":
    case "avgPool":
      return windowed(input, layer, layer.window, null);
    case "flatten":
      return [widthOf(input)];
    case "activation":
    case "dropout":
    case "batchNorm":
      return input;
    default:
      return unreachable(layer);
  }
}

interface Moving {
  readonly kind: string;
  readonly stride: readonly [number, number];
  readonly padding: Padding;
}

function windowed(
  input: RowShape,
  { kind, stride, padding }: Moving,
  window: readonly [number, number],
  filters: number | null,
): RowShape | string {
  const [height, width, channels] = input;
  if (height === undefined || width === undefined || channels === undefined) {
    return `${kind} takes images, not flat rows; give the model an inputShape [height, width, channels]`;
  }
  const down = windowAxis(height, window[0], stride[0], padding).positions;
  const across = windowAxis(width, window[1], stride[1], padding).positions;
  if (down < 1 || across < 1) {
    return `a window of ${window.join(" × ")} does not fit into ${height} × ${width}; use a smaller one or padding same`;
  }
  return [down, across, filters ?? channels];
}
