import type { EpochEvent } from "../../shared/train-events.js";
import { LineFile } from "./line-file.js";

/** Columns of `metrics.csv`, in this order; a figure that was not measured is an empty field. */
export const METRICS_COLUMNS = [
  "epoch",
  "steps",
  "trainLoss",
  "trainAccuracy",
  "trainMeanAbsoluteError",
  "testLoss",
  "testAccuracy",
  "testMeanAbsoluteError",
  "samplesPerSecond",
  "communicationFraction",
  "elapsedMs",
  "learningRate",
  "gradientNorm",
  "skippedSteps",
  "meanStaleness",
  "maxStaleness",
  "maxStepsAhead",
] as const satisfies readonly (keyof EpochEvent)[];

/** `metrics.csv`: one row per epoch, written as soon as the epoch is over, always whole lines. */
export class MetricsCsv implements AsyncDisposable {
  readonly #lines: LineFile;

  private constructor(lines: LineFile) {
    this.#lines = lines;
  }

  /**
   * Starts the file anew, with its header.
   * @param before epochs of the run that it goes on from
   * @throws RingstrasseError OUTPUT_UNWRITABLE
   */
  static async create(path: string, before: readonly EpochEvent[] = []): Promise<MetricsCsv> {
    const metrics = new MetricsCsv(await LineFile.create(path));
    await metrics.#lines.append(METRICS_COLUMNS.join(","));
    for (const epoch of before) await metrics.append(epoch);
    return metrics;
  }

  /** @throws RingstrasseError OUTPUT_UNWRITABLE */
  async append(epoch: EpochEvent): Promise<void> {
    // Numbers and nothing: no field ever needs quotes.
    await this.#lines.append(METRICS_COLUMNS.map((column) => epoch[column] ?? "").join(","));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lines[Symbol.asyncDispose]();
  }
}
