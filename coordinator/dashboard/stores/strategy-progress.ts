import type { EpochEvent, StartedEvent } from "../../../shared/train-events.js";

/** What is told of a job beyond epochs and steps; null: its workers exchange in every step, and there is nothing more to say. */
export type StrategyProgress =
  | {
      readonly strategy: "async";
      /** Of the last epoch, over all workers' updates; null: the first one is not over. */
      readonly meanStaleness: number | null;
      readonly maxStepsAhead: number | null;
    }
  | { readonly strategy: "local-sgd"; readonly rounds: number; readonly ofRounds: number };

export interface ProgressFacts {
  readonly started: Pick<StartedEvent, "configuration" | "epochs" | "stepsPerEpoch"> | null;
  readonly lastEpoch: Pick<EpochEvent, "meanStaleness" | "maxStepsAhead"> | null;
  /** The last one that was told: steps of a round are told when it ends. */
  readonly step: number;
}

/** Pure. */
export function strategyProgress({ started, lastEpoch, step }: ProgressFacts): StrategyProgress | null {
  if (started === null) return null;
  const { strategy, stepsOfRound } = started.configuration;
  if (strategy === "async") {
    const { meanStaleness = null, maxStepsAhead = null } = lastEpoch ?? {};
    return { strategy, meanStaleness, maxStepsAhead };
  }
  if (strategy !== "local-sgd" || typeof stepsOfRound !== "number") return null;
  const { epochs, stepsPerEpoch } = started;
  // The end of an epoch ends its last round, however short.
  const ofEpoch = Math.ceil(stepsPerEpoch / stepsOfRound);
  const rounds = Math.floor(step / stepsPerEpoch) * ofEpoch + Math.ceil((step % stepsPerEpoch) / stepsOfRound);
  return { strategy, rounds, ofRounds: epochs * ofEpoch };
}
