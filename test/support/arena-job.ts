import type { ArenaJob } from "../../shared/arena-demand.js";
import { ALIGNMENT_FLOATS } from "../../shared/arena-layout.js";
import { PLAIN_STEP } from "../../shared/step-rules.js";

/** A job whose arenas have `paddedLength` floats, a multiple of 16 from 32 on; SGD, four replicas, plain steps unless changed. */
export function arenaJob(paddedLength: number, changes: Partial<ArenaJob> = {}): ArenaJob {
  return {
    model: {
      inputs: paddedLength - ALIGNMENT_FLOATS,
      layers: [{ kind: "dense", name: "output", units: 1, activation: "linear", initialBias: 0 }],
      loss: "meanSquaredError",
      targets: { kind: "values", outputs: 1 },
    },
    optimizer: { kind: "sgd", learningRate: 0.1 },
    replicas: 4,
    stepRules: PLAIN_STEP,
    batchSize: 100,
    dataset: { train: { rowCount: 1000 } },
    ...changes,
  };
}
