import type { EpochReport } from "../../shared/protocol/control-message.js";
import type { EpochProgress } from "../../shared/training-position.js";
import type { UpdateFigures } from "./apply-update.js";

/** What an epoch's updates were done with, for its report. */
export class EpochUpdates {
  #learningRate = 0;
  #norms = 0;
  #normSum = 0;
  #skipped = 0;
  #isScaled = false;

  /** @param before what {@link progress} gave for the updates done so far; null: none are */
  constructor(before: EpochProgress["updates"] | null = null) {
    if (before === null) return;
    this.#learningRate = before.learningRate;
    this.#norms = before.norms;
    this.#normSum = before.normSum;
    this.#skipped = before.skipped;
    this.#isScaled = before.isScaled;
  }

  /** In step order. */
  add({ learningRate, gradientNorm, lossScale, skipped }: UpdateFigures): void {
    this.#learningRate = learningRate;
    if (gradientNorm !== undefined) {
      this.#norms++;
      this.#normSum += gradientNorm;
    }
    if (lossScale !== undefined) this.#isScaled = true;
    if (skipped === true) this.#skipped++;
  }

  progress(): EpochProgress["updates"] {
    return {
      learningRate: this.#learningRate,
      norms: this.#norms,
      normSum: this.#normSum,
      skipped: this.#skipped,
      isScaled: this.#isScaled,
    };
  }

  figures(): Pick<EpochReport, "learningRate" | "gradientNorm" | "skippedSteps"> {
    return {
      learningRate: this.#learningRate,
      ...(this.#norms === 0 ? {} : { gradientNorm: this.#normSum / this.#norms }),
      ...(this.#isScaled ? { skippedSteps: this.#skipped } : {}),
    };
  }
}
