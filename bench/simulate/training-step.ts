import { applies, type Cluster, COLLECTIVE_MODELS, type ModelName } from "./collective-models.js";

/** What a worker does in a step besides exchanging. */
export interface StepWork {
  /** Bytes of the gradients. */
  readonly payloadBytes: number;
  /** Least time of a worker's own computation, seconds. */
  readonly computeS: number;
  /** Mean delay of a worker beyond that, as a share of it; delays are exponential, independent in every step. */
  readonly stragglerShare: number;
}

/** One point of a curve. */
export interface StepPoint {
  readonly workers: number;
  readonly stepS: number;
  readonly exchangeS: number;
  /** Rows per second over those of as many workers that don't wait for each other and don't exchange: weak scaling. */
  readonly efficiency: number;
}

/**
 * One step of synchronous training: all wait for the slowest, then exchange; nothing overlaps. The greatest of N exponential delays
 * of mean s is s·(1 + 1/2 + … + 1/N) on average. Pure.
 */
export function stepPoint(
  model: ModelName,
  cluster: Cluster,
  { payloadBytes, computeS, stragglerShare }: StepWork,
): StepPoint {
  const exchangeS = COLLECTIVE_MODELS[model](payloadBytes, cluster);
  const slowestS = computeS * (1 + stragglerShare * harmonic(cluster.workers));
  const stepS = slowestS + exchangeS;
  return { workers: cluster.workers, stepS, exchangeS, efficiency: (computeS * (1 + stragglerShare)) / stepS };
}

/** Points for growing numbers of workers, as far as the model says something of them. */
export function stepCurve(model: ModelName, clusters: readonly Cluster[], work: StepWork): StepPoint[] {
  return clusters.filter((cluster) => applies(model, cluster)).map((cluster) => stepPoint(model, cluster, work));
}

function harmonic(count: number): number {
  let sum = 0;
  for (let k = 1; k <= count; k++) sum += 1 / k;
  return sum;
}
