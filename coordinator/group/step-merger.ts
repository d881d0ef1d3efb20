import type { StepReport } from "../../shared/protocol/control-message.js";

/** One step as the whole group did it. */
export interface MergedStep {
  readonly epoch: number;
  readonly step: number;
  readonly loss: number;
  readonly accuracy: number | null;
  readonly rows: number;
  /** What the update was done with. */
  readonly update: Pick<StepReport, "learningRate" | "gradientNorm" | "lossScale" | "skipped">;
  /** By rank. */
  readonly workers: readonly StepReport[];
}

/** Puts the workers' reports of a step together. Pure but for what it holds: reports of steps that are not complete yet. */
export class StepMerger {
  readonly #worldSize: number;
  readonly #pending = new Map<number, (StepReport | undefined)[]>();

  constructor(worldSize: number) {
    this.#worldSize = worldSize;
  }

  /** @returns the step when this was its last report; steps complete in order, since each worker reports in order. */
  add(rank: number, report: StepReport): MergedStep | null {
    const reports =
      this.#pending.get(report.step) ?? new Array<StepReport | undefined>(this.#worldSize).fill(undefined);
    reports[rank] = report;
    this.#pending.set(report.step, reports);
    const workers = reports.filter((entry) => entry !== undefined);
    if (workers.length < this.#worldSize) return null;
    this.#pending.delete(report.step);
    const { epoch, step, learningRate, gradientNorm, lossScale, skipped } = report;
    const { loss, accuracy, totalRows } = report.staleness === undefined ? report : overWorkers(workers);
    const update = {
      learningRate,
      ...(gradientNorm === undefined ? {} : { gradientNorm }),
      ...(lossScale === undefined ? {} : { lossScale }),
      ...(skipped === undefined ? {} : { skipped }),
    };
    return { epoch, step, loss, accuracy, rows: totalRows, update, workers };
  }
}

/** Figures of an asynchronous step: each worker tells those of its own rows. */
function overWorkers(workers: readonly StepReport[]): Pick<StepReport, "loss" | "accuracy" | "totalRows"> {
  const totalRows = workers.reduce((sum, { rows }) => sum + rows, 0);
  const mean = (of: (report: StepReport) => number): number =>
    workers.reduce((sum, report) => sum + of(report) * report.rows, 0) / totalRows;
  const hasAccuracy = workers.every(({ accuracy }) => accuracy !== null);
  return {
    loss: mean(({ loss }) => loss),
    accuracy: hasAccuracy ? mean(({ accuracy }) => accuracy ?? 0) : null,
    totalRows,
  };
}
