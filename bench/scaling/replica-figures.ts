import { alignedTable } from "../support/aligned-table.js";
import { median } from "../support/median.js";
import { type Quartiles, quartiles } from "../support/quartiles.js";
import type { Turn } from "./competitor.js";

/** A job on N workers with some number of replicas. */
export interface ReplicaTurns {
  readonly replicas: number;
  /** One a round. */
  readonly turns: readonly Turn[];
}

/** What it costs that a job has more replicas than workers; milliseconds, medians. */
export interface ReplicaCost {
  readonly replicas: number;
  readonly stepMs: number;
  /** Of a step, waited for the exchange: with one worker, the fold of its own replicas. */
  readonly exchangeMs: number;
  /** To the step with as many replicas as workers, in the same round. */
  readonly step: Quartiles;
  /** Likewise the exchange. */
  readonly exchange: Quartiles;
}

/** The first is what the others are compared with. Pure. @throws RangeError when one was left out of a round, or keeps no account of its exchange */
export function replicaCosts([base, ...others]: readonly ReplicaTurns[]): ReplicaCost[] {
  if (base === undefined) return [];
  return [base, ...others].map(({ replicas, turns }) => {
    if (turns.length !== base.turns.length) throw new RangeError(`${turns.length} and ${base.turns.length} rounds`);
    const exchanges = turns.map(exchangeOf);
    const baseExchanges = base.turns.map(exchangeOf);
    const baseSteps = base.turns.map(({ stepMs }) => stepMs);
    return {
      replicas,
      stepMs: median(turns.map(({ stepMs }) => stepMs)),
      exchangeMs: median(exchanges),
      step: quartiles(turns.map(({ stepMs }, round) => stepMs / (baseSteps[round] ?? Number.NaN))),
      exchange: quartiles(exchanges.map((ms, round) => ms / (baseExchanges[round] ?? Number.NaN))),
    };
  });
}

/** For people: one line a number of replicas. Pure. */
export function replicaTable(costs: readonly ReplicaCost[]): string {
  const lines = costs.map(({ replicas, stepMs, exchangeMs, step, exchange }) => [
    `${replicas}`,
    stepMs.toFixed(2),
    spread(step),
    exchangeMs.toFixed(2),
    spread(exchange),
  ]);
  return alignedTable([["R", "ms a step", "ratio (quartiles)", "ms exchange", "ratio (quartiles)"], ...lines]);
}

function exchangeOf({ waitedMs }: Turn): number {
  if (waitedMs === null) throw new RangeError("nothing is known of its exchange");
  return waitedMs;
}

function spread([lower, middle, upper]: Quartiles): string {
  return `${middle.toFixed(2)} (${lower.toFixed(2)} to ${upper.toFixed(2)})`;
}
