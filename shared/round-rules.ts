import { z } from "zod";
import { stepsPerEpoch } from "./epoch-plan.js";
import type { OptimizerSpec } from "./model-spec.js";

/** Most steps of a round: every one of them takes some bytes of the exchange's scalars. */
export const MOST_STEPS_OF_ROUND = 65_536;

/**
 * The strategy local-sgd: each replica takes `syncEvery` steps by itself, a *round*; then all go on from common parameters, which an outer
 * optimizer has moved by the mean of the replicas' differences.
 */
export const RoundRulesSchema = z.object({
  /** H */
  syncEvery: z.number().int().positive().max(MOST_STEPS_OF_ROUND),
  /** Gradient descent with Nesterov's momentum; 1 and 0 make the common parameters the mean of the replicas'. */
  outer: z.object({ learningRate: z.number().positive(), momentum: z.number().min(0).lt(1) }),
});
export type RoundRules = z.infer<typeof RoundRulesSchema>;

/** The outer optimizer, which has no state without momentum. Pure. */
export function outerOptimizer({ outer }: RoundRules): Extract<OptimizerSpec, { readonly kind: "sgd" | "nesterov" }> {
  const { learningRate, momentum } = outer;
  return momentum === 0 ? { kind: "sgd", learningRate } : { kind: "nesterov", learningRate, momentum };
}

/** Steps of one round, at most: an epoch ends the round under way. Pure. */
export function stepsOfRound({ syncEvery }: RoundRules, rowCount: number, batchSize: number): number {
  return Math.min(syncEvery, stepsPerEpoch(rowCount, batchSize));
}

/**
 * The last step of the round that begins after `done` steps of the job: H steps later, or where the epoch ends. Rounds are counted from the
 * beginning of their epoch. Pure.
 */
export function endOfRound({ syncEvery }: RoundRules, done: number, stepsOfEpoch: number): number {
  const inEpoch = done % stepsOfEpoch;
  const next = (Math.floor(inEpoch / syncEvery) + 1) * syncEvery;
  return done - inEpoch + Math.min(next, stepsOfEpoch);
}
