import type { CheckpointPlan } from "../../shared/checkpoint-plan.js";
import type { StepId } from "./train-step.js";

/** A place between two steps. */
export interface Boundary extends StepId {
  readonly endsEpoch: boolean;
}

/**
 * Says when the next checkpoint is due. One that could not be taken when it was due stays so. Times are counted from the last one, or
 * from the start.
 */
export class CheckpointClock {
  readonly #plan: CheckpointPlan;
  #lastMs: number;
  #due = false;

  /** @param nowMs of a monotonic clock */
  constructor(plan: CheckpointPlan, nowMs: number) {
    this.#plan = plan;
    this.#lastMs = nowMs;
  }

  /** To be told of every boundary. @returns whether a checkpoint is due */
  passes({ epoch, step, endsEpoch }: Boundary, nowMs: number): boolean {
    const { everySteps, everyEpochs, everyMs } = this.#plan;
    this.#due ||=
      (everySteps !== null && step % everySteps === 0) ||
      (everyEpochs !== null && endsEpoch && epoch % everyEpochs === 0) ||
      (everyMs !== null && nowMs - this.#lastMs >= everyMs);
    return this.#due;
  }

  taken(nowMs: number): void {
    this.#due = false;
    this.#lastMs = nowMs;
  }
}
