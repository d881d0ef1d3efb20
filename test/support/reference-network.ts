import type { ArenaLayout } from "../../shared/arena-layout.js";
import { layerWithShapes, type ShapedLayer } from "../../shared/layer-shape.js";
import { type LayerSpec, type ModelSpec, outputsOf } from "../../shared/model-spec.js";
import type { MicroBatch, StepPosition } from "../../worker/engine/engine.js";
import { dropoutFactors } from "./dropout-factors.js";

/** All layers in plain float64 loops, written for tests only. A batch is one array per row. */
export interface ReferenceNetwork {
  readonly model: ModelSpec;
  readonly layout: ArenaLayout;
  readonly seed: number;
}

type Rows = Float64Array[];
type Tensor = (suffix: string) => Float64Array;

export interface ReferencePass {
  /** With the penalty. */
  readonly lossSum: number;
  /** Activated. */
  readonly outputs: Rows;
  /** Per normalised layer, moments times rows, in the order of the layout. */
  readonly statistics: Float64Array[];
}

/** One forward pass. `arena` in float64. `training` null: an evaluation. */
export function referencePass(
  { model, layout, seed }: ReferenceNetwork,
  arena: Float64Array,
  batch: MicroBatch,
  training: StepPosition | null,
): ReferencePass {
  let rows: Rows = Array.from({ length: batch.count }, (_, row) =>
    Float64Array.from(batch.x.subarray(row * model.inputs, (row + 1) * model.inputs)),
  );
  const statistics: Float64Array[] = [];
  const given = rows;
  const outputs: Rows[] = [];
  let penalty = 0;
  for (const [index, shaped] of layerWithShapes(model).entries()) {
    const { layer } = shaped;
    const tensor: Tensor = (suffix) => {
      const slot = [...layout.slots, ...layout.statistics].find(({ name }) => name === `${layer.name}/${suffix}`)!;
      return arena.subarray(slot.offset, slot.offset + slot.length);
    };
    const joined = shaped.shortcuts.map((source) => outputs[source] ?? given);
    rows = rows.map((row, i) => Float64Array.from([...row, ...joined.flatMap((source) => [...source[i]!])]));
    if ("l2" in layer && layer.l2 !== undefined) {
      penalty += layer.l2 * tensor("kernel").reduce((sum, value) => sum + value * value, 0);
    }
    if (layer.kind === "dropout" && training !== null) {
      const width = rows[0]!.length;
      const mask = dropoutFactors({ seed, position: training, layer: index, rate: layer.rate }, width * rows.length);
      rows = rows.map((row, i) => row.map((value, k) => value * mask[i * width + k]!));
    } else if (layer.kind === "batchNorm") {
      const moments = training === null ? [tensor("moving_mean"), tensor("moving_variance")] : momentsOf(rows, shaped);
      if (training !== null) statistics.push(...moments.map((values) => values.map((value) => value * batch.count)));
      rows = normalise(rows, moments, tensor, layer.epsilon);
    } else {
      rows = rows.map((row) => forward(layer, shaped, row, tensor));
    }
    outputs.push(rows);
  }
  const lossSum = rows.reduce((sum, row, i) => sum + loss(model, row, targetOf(model, batch, i)) + penalty, 0);
  return { lossSum, outputs: rows, statistics };
}

/** Gradients of the loss sum by central differences of {@link referencePass}, an arena without padding's meaning. */
export function differenceGradients(
  network: ReferenceNetwork,
  parameters: Float32Array,
  batch: MicroBatch,
  position: StepPosition,
): Float64Array {
  const arena = Float64Array.from(parameters);
  const gradients = new Float64Array(arena.length);
  const h = 1e-5;
  for (const { offset, length } of network.layout.slots) {
    for (let i = offset; i < offset + length; i++) {
      const start = arena[i]!;
      const at = (value: number): number => {
        arena[i] = value;
        return referencePass(network, arena, batch, position).lossSum;
      };
      gradients[i] = (at(start + h) - at(start - h)) / (2 * h);
      arena[i] = start;
    }
  }
  return gradients;
}

function forward(layer: LayerSpec, shaped: ShapedLayer, row: Float64Array, tensor: Tensor): Float64Array {
  switch (layer.kind) {
    case "dense": {
      const [kernel, bias] = [tensor("kernel"), tensor("bias")];
      const sums = bias.map((start, unit) =>
        row.reduce((sum, value, k) => sum + value * kernel[k * layer.units + unit]!, start),
      );
      return activated(layer.activation, sums, layer.units);
    }
    case "conv2d": {
      const [kernel, bias] = [tensor("kernel"), tensor("bias")];
      const channels = shaped.input[2]!;
      const sums = windows(shaped, layer.kernel, layer, (inside, filter) => {
        let sum = bias[filter]!;
        for (const { at, place } of inside) {
          for (let c = 0; c < channels; c++)
            sum += row[at + c]! * kernel[(place * channels + c) * layer.filters + filter]!;
        }
        return sum;
      });
      return activated(layer.activation, sums, layer.filters);
    }
    case "maxPool":
      return windows(shaped, layer.window, layer, (inside, c) => Math.max(...inside.map(({ at }) => row[at + c]!)));
    case "avgPool":
      return windows(
        shaped,
        layer.window,
        layer,
        (inside, c) => inside.reduce((sum, { at }) => sum + row[at + c]!, 0) / inside.length,
      );
    case "activation":
      return activated(layer.activation, row, shaped.input.at(-1)!);
    default:
      return row;
  }
}

/** Calls `value` for each place and channel of the output with the places of its window that lie inside the image. */
function windows(
  { input, output }: ShapedLayer,
  window: readonly number[],
  { stride, padding }: { stride: readonly number[]; padding: string },
  value: (inside: { at: number; place: number }[], channel: number) => number,
): Float64Array {
  const [height, width, channels] = input as [number, number, number];
  const [down, across, filters] = output as [number, number, number];
  const before = [height, width].map((size, axis) => {
    const positions = output[axis]!;
    const missing = Math.max(0, (positions - 1) * stride[axis]! + window[axis]! - size);
    return padding === "same" ? Math.floor(missing / 2) : 0;
  });
  const result = new Float64Array(down * across * filters);
  for (let i = 0; i < down; i++) {
    for (let j = 0; j < across; j++) {
      const inside: { at: number; place: number }[] = [];
      for (let p = 0; p < window[0]!; p++) {
        for (let q = 0; q < window[1]!; q++) {
          const [y, x] = [i * stride[0]! - before[0]! + p, j * stride[1]! - before[1]! + q];
          if (y >= 0 && y < height && x >= 0 && x < width)
            inside.push({ at: (y * width + x) * channels, place: p * window[1]! + q });
        }
      }
      for (let f = 0; f < filters; f++) result[(i * across + j) * filters + f] = value(inside, f);
    }
  }
  return result;
}

function activated(kind: string, z: Float64Array, channels: number): Float64Array {
  if (kind === "relu") return z.map((value) => Math.max(0, value));
  if (kind === "tanh") return z.map(Math.tanh);
  if (kind === "sigmoid") return z.map((value) => 1 / (1 + Math.exp(-value)));
  if (kind === "linear") return z;
  return z.map((value, i) => {
    const start = i - (i % channels);
    return Math.exp(value) / z.subarray(start, start + channels).reduce((sum, other) => sum + Math.exp(other), 0);
  });
}

function momentsOf(rows: Rows, { input }: ShapedLayer): [Float64Array, Float64Array] {
  const channels = input.at(-1)!;
  const values = Array.from({ length: channels }, (_, c) =>
    rows.flatMap((row) => [...row].filter((_v, k) => k % channels === c)),
  );
  const mean = Float64Array.from(values, (list) => list.reduce((sum, value) => sum + value, 0) / list.length);
  const variance = Float64Array.from(
    values,
    (list, c) => list.reduce((sum, value) => sum + (value - mean[c]!) ** 2, 0) / list.length,
  );
  return [mean, variance];
}

function normalise(rows: Rows, [mean, variance]: Float64Array[], tensor: Tensor, epsilon: number): Rows {
  const [gamma, beta] = [tensor("gamma"), tensor("beta")];
  return rows.map((row) =>
    row.map((value, k) => {
      const c = k % gamma.length;
      return ((value - mean![c]!) / Math.sqrt(variance![c]! + epsilon)) * gamma[c]! + beta[c]!;
    }),
  );
}

function targetOf(model: ModelSpec, { targets }: MicroBatch, row: number): Float64Array {
  const outputs = outputsOf(model);
  if (targets.kind === "values") return Float64Array.from(targets.values.subarray(row * outputs, (row + 1) * outputs));
  return Float64Array.from({ length: outputs }, (_, k) => (k === targets.classes[row] ? 1 : 0));
}

function loss(model: ModelSpec, a: Float64Array, t: Float64Array): number {
  if (model.loss === "softmaxCrossEntropy") return -a.reduce((sum, value, k) => sum + t[k]! * Math.log(value), 0);
  return a.reduce((sum, value, k) => sum + (value - t[k]!) ** 2, 0) / a.length;
}
