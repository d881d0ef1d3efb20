import type { ShapedLayer } from "../../../shared/layer-shape.js";

/** A layer, and whether relu follows it. */
export interface PlacedLayer {
  readonly shaped: ShapedLayer;
  readonly isReluNext: boolean;
}

/**
 * Moves each relu that maximum pooling follows behind the pooling, where there are fewer numbers (a quarter, with the usual windows of 2 × 2).
 * Nothing else changes: the greatest of a window is the same before and after, and where it isn't positive no gradient passes either way.
 * A layer that a shortcut leads from keeps its own. Pure; O(layers).
 */
export function relusBehindPools(layers: readonly ShapedLayer[]): PlacedLayer[] {
  const sources = new Set(layers.flatMap(({ shortcuts }) => shortcuts));
  let isHeld = false;
  return layers.map((shaped, index) => {
    const isPooledNext = layers[index + 1]?.layer.kind === "maxPool" && !sources.has(index);
    const held = isPooledNext ? withoutRelu(shaped) : null;
    const isReluDue = isHeld && !isPooledNext;
    isHeld = held !== null || (isHeld && isPooledNext);
    return { shaped: held ?? shaped, isReluNext: isReluDue };
  });
}

/** Null: it has none. */
function withoutRelu(shaped: ShapedLayer): ShapedLayer | null {
  const { layer } = shaped;
  if (!("activation" in layer) || layer.activation !== "relu") return null;
  return { ...shaped, layer: { ...layer, activation: "linear" } };
}
