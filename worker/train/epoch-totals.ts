import type { EpochReport } from "../../shared/protocol/control-message.js";
import type { EpochProgress } from "../../shared/training-position.js";
import type { StepSums } from "../engine/engine.js";
import { EpochUpdates } from "./epoch-updates.js";
import { addSums, meansOf, NO_SUMS } from "./step-scalars.js";
import type { StepOutcome } from "./train-step.js";

/** The figures of the steps of one epoch, added up in their order. */
export class EpochTotals {
  #sums: StepSums;
  readonly #updates: EpochUpdates;
  #stepMs: number;
  #communicationMs: number;

  /** @param before what {@link progress} gave for the steps done so far; null: none are */
  constructor(before: EpochProgress | null) {
    this.#sums = before?.sums ?? NO_SUMS;
    this.#updates = new EpochUpdates(before?.updates);
    this.#stepMs = before?.stepMs ?? 0;
    this.#communicationMs = before?.communicationMs ?? 0;
  }

  add({ totals, update, elapsedMs, communicationMs }: StepOutcome): void {
    this.#sums = addSums(this.#sums, totals);
    this.#updates.add(update);
    this.#stepMs += elapsedMs;
    this.#communicationMs += communicationMs;
  }

  /** Of this worker's steps alone, where the job is asynchronous. */
  get sums(): StepSums {
    return this.#sums;
  }

  /** Takes the sums of all workers' steps in the place of this one's. */
  gathered(sums: StepSums): void {
    this.#sums = sums;
  }

  progress(): EpochProgress {
    const { lossSum, correct, absoluteErrorSum, count } = this.#sums;
    return {
      sums: { lossSum, correct, absoluteErrorSum, count },
      updates: this.#updates.progress(),
      stepMs: this.#stepMs,
      communicationMs: this.#communicationMs,
    };
  }

  /** Means over the rows so far, and the times. */
  figures(
    targets: "class" | "values",
  ): Omit<EpochReport, "epoch" | "steps" | "testLoss" | "testAccuracy" | "testMeanAbsoluteError"> {
    const means = meansOf(this.#sums, targets);
    return {
      trainLoss: means.loss,
      trainAccuracy: means.accuracy,
      trainMeanAbsoluteError: means.meanAbsoluteError,
      rows: this.#sums.count,
      stepMs: this.#stepMs,
      communicationMs: this.#communicationMs,
      ...this.#updates.figures(),
    };
  }
}
