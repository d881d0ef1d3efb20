import type { EpochReport, FromWorker, StepReport } from "../../shared/protocol/control-message.js";
import { type MergedStep, StepMerger } from "./step-merger.js";

export interface ReportListener {
  step(step: MergedStep): void;
  epoch(report: EpochReport): void;
}

/** Whether a message tells of steps or of an epoch. Pure. */
export function isReport(message: FromWorker): message is Extract<FromWorker, { kind: "steps" | "epoch" }> {
  return message.kind === "steps" || message.kind === "epoch";
}

/** Brings the workers' reports into one order: steps as they complete, an epoch after the last of its steps. */
export class ReportOrder {
  readonly #merger: StepMerger;
  readonly #listener: ReportListener;
  /** Told by rank 0, whose report comes before the others have told their share of the last steps. */
  readonly #epochs: EpochReport[] = [];
  #stepsTold = 0;

  constructor(worldSize: number, listener: ReportListener) {
    this.#merger = new StepMerger(worldSize);
    this.#listener = listener;
  }

  steps(rank: number, reports: readonly StepReport[]): void {
    for (const report of reports) {
      const step = this.#merger.add(rank, report);
      if (step === null) continue;
      this.#stepsTold = step.step;
      this.#listener.step(step);
      this.#release();
    }
  }

  epoch(report: EpochReport): void {
    this.#epochs.push(report);
    this.#release();
  }

  #release(): void {
    while (this.#epochs[0] !== undefined && this.#epochs[0].steps <= this.#stepsTold) {
      this.#listener.epoch(this.#epochs[0]);
      this.#epochs.shift();
    }
  }
}
