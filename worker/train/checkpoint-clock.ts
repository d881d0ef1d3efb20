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
  #lastStep: number;
  #due = false;

  /** @param nowMs of a monotonic clock @param step where training begins */
  constructor(plan: CheckpointPlan, nowMs: number, step = 0) {
    this.#plan = plan;
    this.#lastMs = nowMs;
    this.#lastStep = step;
  }

  /** To be told of every boundary; with several steps between two, what was due at one of them is due at the next boundary. @returns whether a checkpoint is due */
  passes({ epoch, step, endsEpoch }: Boundary, nowMs: number): boolean {
    const { everySteps, everyEpochs, everyMs } = this.#plan;
    this.#due ||=
      (everySteps !== null && Math.floor(step / everySteps) > Math.floor(this.#lastStep / everySteps)) ||
      (everyEpochs !== null && endsEpoch && epoch % everyEpochs === 0) ||
      (everyMs !== null && nowMs - this.#lastMs >= everyMs);
    this.#lastStep = step;
    return this.#due;
  }

  taken(nowMs: number): void {
    this.#due = false;
    this.#lastMs = nowMs;
  }
}
