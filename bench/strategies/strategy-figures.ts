import type { EpochEvent, StepEvent, TrainEvent } from "../../shared/train-events.js";
import { alignedTable } from "../support/aligned-table.js";

/** How far a training was after an epoch. */
export interface EpochFigures {
  readonly epoch: number;
  /** By all workers for gradients and parameters, since the start. */
  readonly sentBytes: number;
  /** 0 … 1 */
  readonly testAccuracy: number;
  readonly testLoss: number;
  readonly trainLoss: number;
  /** Share of the epoch in which computations waited for the exchange. */
  readonly communicationFraction: number;
}

/** What a training with one strategy came to. */
export interface StrategyFigures {
  readonly name: string;
  /** What every step exchanges, all of it. */
  readonly isPlain: boolean;
  readonly epochs: readonly EpochFigures[];
}

/** Collects the figures of one training from its events, in their order. */
export class EpochTally {
  readonly #epochs: EpochFigures[] = [];
  #sentBytes = 0;

  hear(event: TrainEvent): void {
    if (event.event === "step") this.#sentBytes += sentIn(event);
    if (event.event === "epoch") this.#epochs.push(this.#figures(event));
  }

  get epochs(): readonly EpochFigures[] {
    return this.#epochs;
  }

  #figures({ epoch, testAccuracy, testLoss, trainLoss, communicationFraction }: EpochEvent): EpochFigures {
    if (testAccuracy === null || testLoss === null) throw new RangeError(`epoch ${epoch} was not tested`);
    return { epoch, sentBytes: this.#sentBytes, testAccuracy, testLoss, trainLoss, communicationFraction };
  }
}

function sentIn({ workers }: StepEvent): number {
  return workers.reduce((sum, { sentBytes }) => sum + sentBytes, 0);
}

/** For people: one line a strategy, as it was at its end. Pure. */
export function strategyTable(all: readonly StrategyFigures[]): string {
  const lines = all.map(({ name, epochs }) => {
    const last = epochs.at(-1);
    if (last === undefined) return [name];
    const { sentBytes, trainLoss, testLoss, testAccuracy, communicationFraction } = last;
    const accuracy = `${(100 * testAccuracy).toFixed(2)} %`;
    const waited = communicationFraction.toFixed(2);
    return [name, (sentBytes / 1e6).toFixed(1), trainLoss.toFixed(4), testLoss.toFixed(4), accuracy, waited];
  });
  return alignedTable([["strategy", "MB sent", "train loss", "test loss", "test accuracy", "waiting"], ...lines]);
}
