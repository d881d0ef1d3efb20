import { type ArenaLayout, layoutOf } from "../../shared/arena-layout.js";
import { type Activation, type Loss, type ModelSpec, ModelSpecSchema, outputsOf } from "../../shared/model-spec.js";
import { RandomStream } from "../../shared/random/random-stream.js";
import type { MicroBatch } from "../../worker/engine/engine.js";

/** A dense network: `hidden` widths with one activation, then the output. */
export interface NetworkOptions {
  readonly inputs: number;
  readonly hidden: readonly number[];
  readonly hiddenActivation: Activation;
  readonly outputs: number;
  readonly lastActivation: Activation;
  readonly loss: Loss;
  readonly targets: "class" | "values";
}

export function network(options: NetworkOptions): ModelSpec {
  const { inputs, hidden, hiddenActivation, outputs, lastActivation, loss, targets } = options;
  const layers = [
    ...hidden.map((units, i) => ({ name: `hidden${i}`, units, activation: hiddenActivation })),
    { name: "output", units: outputs, activation: lastActivation },
  ];
  return ModelSpecSchema.parse({
    inputs,
    layers: layers.map((layer) => ({ kind: "dense", initialBias: 0, ...layer })),
    loss,
    targets: targets === "class" ? { kind: "class", classes: Math.max(outputs, 2) } : { kind: "values", outputs },
  });
}

/** All that `LossHead` allows: [loss, last activation, outputs, targets]. */
export const HEADS: readonly (readonly [Loss, Activation, number, "class" | "values"])[] = [
  ["softmaxCrossEntropy", "softmax", 5, "class"],
  ["softmaxCrossEntropy", "softmax", 2, "class"],
  ["sigmoidCrossEntropy", "sigmoid", 1, "class"],
  ["sigmoidCrossEntropy", "sigmoid", 4, "class"],
  ...(["meanSquaredError", "meanAbsoluteError"] as const).flatMap((loss) => [
    ...(["linear", "sigmoid", "tanh", "relu", "softmax"] as const).flatMap(
      (last) =>
        [
          [loss, last, 3, "class"],
          [loss, last, 3, "values"],
        ] as const,
    ),
    ...(["linear", "sigmoid", "tanh", "relu"] as const).map((last) => [loss, last, 1, "class"] as const),
    [loss, "linear", 1, "values"] as const,
  ]),
];

/** An arena of uniform numbers in ±`scale`, zero in the padding. */
export function randomArena(layout: ArenaLayout, random: RandomStream, scale = 0.8): Float32Array {
  const arena = new Float32Array(layout.paddedLength);
  for (const { offset, length } of layout.slots) {
    for (let i = offset; i < offset + length; i++) arena[i] = scale * (2 * random.nextFloat() - 1);
  }
  return arena;
}

export function randomBatch(model: ModelSpec, count: number, random: RandomStream): MicroBatch {
  const x = Float32Array.from({ length: count * model.inputs }, () => 2 * random.nextFloat() - 1);
  const outputs = outputsOf(model);
  if (model.targets.kind === "values") {
    const values = Float32Array.from({ length: count * outputs }, () => 2 * random.nextFloat() - 1);
    return { count, x, targets: { kind: "values", values } };
  }
  const { classes: bound } = model.targets;
  const classes = Uint32Array.from({ length: count }, () => random.nextBelow(bound));
  return { count, x, targets: { kind: "class", classes } };
}

/** Rows [from, to) of a batch, as views. */
export function rowsOf(model: ModelSpec, batch: MicroBatch, from: number, to: number): MicroBatch {
  const { inputs } = model;
  const outputs = outputsOf(model);
  const x = batch.x.subarray(from * inputs, to * inputs);
  const { targets } = batch;
  if (targets.kind === "class") {
    return { count: to - from, x, targets: { kind: "class", classes: targets.classes.subarray(from, to) } };
  }
  const values = targets.values.subarray(from * outputs, to * outputs);
  return { count: to - from, x, targets: { kind: "values", values } };
}

/** Model, layout, parameters and rows that belong together, drawn from one seed. */
export function example(model: ModelSpec, count: number, seed = 1): Example {
  const random = new RandomStream({ seed, purpose: 6 });
  const layout = layoutOf(model);
  return { model, layout, parameters: randomArena(layout, random), batch: randomBatch(model, count, random) };
}

export interface Example {
  readonly model: ModelSpec;
  readonly layout: ArenaLayout;
  readonly parameters: Float32Array;
  readonly batch: MicroBatch;
}
