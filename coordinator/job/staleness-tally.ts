import type { StepReport } from "../../shared/protocol/control-message.js";
import type { EpochEvent } from "../../shared/train-events.js";

/** How old the parameters were that an epoch's updates were computed from, over all workers. Pure but for what it holds. */
export class StalenessTally {
  #updates = 0;
  #sum = 0;
  #most = 0;
  #mostStepsAhead = 0;

  /** A worker's report of a step; those of synchronous ones count for nothing. */
  add({ staleness, stepsAhead }: Pick<StepReport, "staleness" | "stepsAhead">): void {
    if (staleness === undefined || stepsAhead === undefined) return;
    this.#updates++;
    this.#sum += staleness;
    this.#most = Math.max(this.#most, staleness);
    this.#mostStepsAhead = Math.max(this.#mostStepsAhead, stepsAhead);
  }

  /** Of what was added since the last call; empty where there is nothing to tell. */
  take(): Pick<EpochEvent, "meanStaleness" | "maxStaleness" | "maxStepsAhead"> {
    if (this.#updates === 0) return {};
    const figures = {
      meanStaleness: this.#sum / this.#updates,
      maxStaleness: this.#most,
      maxStepsAhead: this.#mostStepsAhead,
    };
    this.#updates = 0;
    this.#sum = 0;
    this.#most = 0;
    this.#mostStepsAhead = 0;
    return figures;
  }
}
