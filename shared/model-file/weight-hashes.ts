import type { ArenaLayout } from "../arena-layout.js";
import type { ModelFacts } from "./model-facts.js";
import { sha256 } from "./sha256.js";

/**
 * The hashes of a model's weights as they lie in its files: of the trainable tensors, and, where there are some, of the running
 * statistics behind them. Pure.
 */
export function weightHashes(
  { parameterCount, statistics }: ArenaLayout,
  weights: Uint8Array,
): Pick<ModelFacts, "weightsSha256" | "statisticsSha256"> {
  const trainableBytes = 4 * parameterCount;
  const weightsSha256 = sha256(weights.subarray(0, trainableBytes));
  if (statistics.length === 0) return { weightsSha256 };
  return { weightsSha256, statisticsSha256: sha256(weights.subarray(trainableBytes)) };
}
