import { type LayerStack, layerWithShapes, type ShapedLayer, widthOf } from "../../shared/layer-shape.js";

/** More gain nothing. */
const MOST_ROWS = 1024;
/** Of what one pass keeps: an engine frees nothing before its end. */
const MOST_BYTES = 256 * 2 ** 20;
/** Multiplications with addition of one pass: a second or two of the slowest engine, since nothing else is heard of a worker meanwhile. */
const MOST_MULTIPLICATIONS = 8e9;

/**
 * Rows that a network without gradients is given at once: 1024, or fewer where they would take more than 256 MiB or 8 × 10⁹ multiplications,
 * and at least one. Depends on the network alone, so that sums over several passes have the same bits on any machine, and for any number of
 * workers. Pure.
 */
export function forwardRows(stack: LayerStack): number {
  const layers = layerWithShapes(stack);
  const multiplications = layers.reduce((sum, layer) => sum + multiplicationsOf(layer), 0);
  const most = Math.min(MOST_BYTES / forwardRowBytes(stack), MOST_MULTIPLICATIONS / multiplications, MOST_ROWS);
  return Math.max(1, Math.floor(most));
}

/** Bytes that a forward pass keeps for each of its rows: the row, and what comes out of every layer, before and after its activation. Pure. */
export function forwardRowBytes(stack: LayerStack): number {
  const floats = layerWithShapes(stack).reduce((sum, layer) => sum + floatsOf(layer), stack.inputs);
  return floats * Float32Array.BYTES_PER_ELEMENT;
}

function floatsOf({ layer, input, output, shortcuts }: ShapedLayer): number {
  const joined = shortcuts.length > 0 ? widthOf(input) : 0;
  const isActivated = layer.kind === "dense" || layer.kind === "conv2d";
  return joined + widthOf(output) * (isActivated ? 2 : 1);
}

/** Of one row; what is done once for each number is not worth counting. */
function multiplicationsOf({ layer, input, output }: ShapedLayer): number {
  if (layer.kind === "dense") return widthOf(input) * layer.units;
  if (layer.kind === "conv2d") return widthOf(output) * widthOf(layer.kernel) * (input.at(-1) ?? 1);
  return widthOf(output);
}
