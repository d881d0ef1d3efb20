import type { LayerSpec } from "./model-spec.js";
import { unreachable } from "./unreachable.js";

/** A layer in one line for people, e.g. `hidden 64 relu` or `conv_1 3×3×32 relu`. */
export function describeLayer(layer: LayerSpec): string {
  const { name } = layer;
  switch (layer.kind) {
    case "dense":
      return `${name} ${layer.units} ${layer.activation}`;
    case "conv2d":
      return `${name} ${layer.kernel.join("×")}×${layer.filters}${movement(layer)} ${layer.activation}`;
    case "maxPool":
    case "avgPool":
      return `${name} ${layer.kind} ${layer.window.join("×")}${movement(layer)}`;
    case "activation":
      return `${name} ${layer.activation}`;
    case "dropout":
      return `${name} dropout ${layer.rate}`;
    case "flatten":
    case "batchNorm":
      return `${name} ${layer.kind}`;
    default:
      return unreachable(layer);
  }
}

function movement({ stride, padding }: { stride: readonly [number, number]; padding: string }): string {
  return ` /${stride.join("×")} ${padding}`;
}
