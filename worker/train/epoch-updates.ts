import type { EpochReport } from "../../shared/protocol/control-message.js";
import type { UpdateFigures } from "./apply-update.js";

/** What an epoch's updates were done with, for its report. */
export class EpochUpdates {
  #learningRate = 0;
  #norms = 0;
  #normSum = 0;
  #skipped = 0;
  #isScaled = false;

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

  figures(): Pick<EpochReport, "learningRate" | "gradientNorm" | "skippedSteps"> {
    return {
      learningRate: this.#learningRate,
      ...(this.#norms === 0 ? {} : { gradientNorm: this.#normSum / this.#norms }),
      ...(this.#isScaled ? { skippedSteps: this.#skipped } : {}),
    };
  }
}
