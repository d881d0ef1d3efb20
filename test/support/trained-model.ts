import { arenaLayout } from "../../shared/arena-layout.js";
import type { JobId } from "../../shared/ids.js";
import type { ModelToWrite } from "../../shared/model-file/write-model.js";
import { type Activation, type ModelSpec, parametersOf } from "../../shared/model-spec.js";
import { RandomStream } from "../../shared/random/random-stream.js";

/** A small classifier 4-5-3 with weights of no meaning, but no two alike. */
export function tinyModel(hidden: Activation = "tanh"): ModelToWrite {
  const model: ModelSpec = {
    inputs: 4,
    layers: [
      { kind: "dense", name: "hidden_1", units: 5, activation: hidden, initialBias: 0.25 },
      { kind: "dense", name: "output", units: 3, activation: "softmax", initialBias: 0 },
    ],
    loss: "softmaxCrossEntropy",
    targets: { kind: "class", classes: 3 },
  };
  return {
    facts: {
      jobId: "iris-1" as JobId,
      seed: 6,
      model,
      transform: { kind: "standardise", mean: [5.8, 3, 3.7, 1.2], deviation: [0.8, 0.4, 1.7, 0.7] },
      classNames: ["setosa", "versicolor", "virginica"],
      labelColumn: 4,
    },
    weights: randomWeights(model),
    version: "0.0.0-test",
  };
}

/** A regression model 2-2, linear. */
export function tinyRegression(): ModelToWrite {
  const model: ModelSpec = {
    inputs: 2,
    layers: [{ kind: "dense", name: "output", units: 2, activation: "linear", initialBias: 0 }],
    loss: "meanSquaredError",
    targets: { kind: "values", outputs: 2 },
  };
  return {
    facts: { jobId: "line" as JobId, seed: 0, model, transform: { kind: "none" }, classNames: null, labelColumn: 2 },
    weights: randomWeights(model),
    version: "0.0.0-test",
  };
}

/** Little-endian float32 in (−1, 1), without padding. */
function randomWeights(model: ModelSpec): Uint8Array {
  const count = arenaLayout(parametersOf(model)).parameterCount;
  const random = new RandomStream({ seed: 1, purpose: 6 });
  const bytes = Buffer.alloc(count * 4);
  for (let index = 0; index < count; index++) bytes.writeFloatLE(random.nextFloat() * 2 - 1, index * 4);
  return bytes;
}
