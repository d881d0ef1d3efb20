import type { TrainEvent } from "../../shared/train-events.js";

/** What all runs together have trained since this service began. */
export class TrainingTotals {
  #steps = 0;
  #rows = 0;

  /** Optimizer updates. */
  get steps(): number {
    return this.#steps;
  }

  /** Rows that gradients were computed of, each as often as it was used. */
  get rows(): number {
    return this.#rows;
  }

  /** Events of one run, each heard once. Steps that a run elsewhere left out, because this server was slow, are not known here. */
  count(events: readonly TrainEvent[]): void {
    for (const event of events) {
      if (event.event !== "step") continue;
      this.#steps++;
      this.#rows += event.rows;
    }
  }
}
