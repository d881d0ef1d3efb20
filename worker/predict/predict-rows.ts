import type { Writable } from "node:stream";
import type { PredictionBatch } from "../../shared/data/load-rows-for-prediction.js";
import type { TrainedModel } from "../../shared/model-file/read-model.js";
import { outputsOf } from "../../shared/model-spec.js";
import type { Engine } from "../engine/engine.js";
import { type PredictionFormat, predictionFormatter } from "./prediction-format.js";

/** How good the predictions were, over the rows whose targets are known; all null when none are. */
export interface PredictionSummary {
  readonly rows: number;
  readonly accuracy: number | null;
  readonly meanAbsoluteError: number | null;
  readonly loss: number | null;
}

export interface PredictionRun {
  readonly model: TrainedModel;
  /** Made for the model and its layout; stays the caller's. */
  readonly engine: Engine;
  readonly rows: AsyncIterable<PredictionBatch>;
  readonly format: PredictionFormat;
  /** Not ended here: it may be stdout. */
  readonly output: Writable;
}

/**
 * Predicts batch after batch and writes a line per row, waiting for the output where it is slow: memory stays flat.
 * @throws what rows, engine or output throw; an output that breaks (a closed pipe) stops the run.
 */
export async function predictRows({ model, engine, rows, format, output }: PredictionRun): Promise<PredictionSummary> {
  const { facts, parameters } = model;
  const outputs = outputsOf(facts.model);
  const formatter = predictionFormatter(format, facts.classNames, outputs);
  const tally = { rows: 0, known: 0, lossSum: 0, correct: 0, absoluteErrorSum: 0 };
  const sink = new Sink(output);
  engine.loadParameters(parameters);
  // The header waits for the first rows, so that data which can't be read leaves the output empty.
  let header = formatter.header;
  for await (const { count, rowNumbers, x, targets } of rows) {
    const predicted = await engine.predict(x, count);
    const lines: string[] = [];
    for (let row = 0; row < count; row++) {
      lines.push(formatter.line(rowNumbers[row] ?? 0, predicted.subarray(row * outputs, (row + 1) * outputs)));
    }
    await sink.write(header + lines.join(""));
    header = "";
    tally.rows += count;
    if (targets === null) continue;
    const sums = await engine.evaluate({ count, x, targets });
    tally.known += sums.count;
    tally.lossSum += sums.lossSum;
    tally.correct += sums.correct;
    tally.absoluteErrorSum += sums.absoluteErrorSum;
  }
  await sink.write(header);
  sink.release();
  const mean = (sum: number, asked: boolean) => (asked && tally.known > 0 ? sum / tally.known : null);
  const classes = facts.model.targets.kind === "class";
  return {
    rows: tally.rows,
    accuracy: mean(tally.correct, classes),
    meanAbsoluteError: mean(tally.absoluteErrorSum, !classes),
    loss: mean(tally.lossSum, true),
  };
}

/**
 * Writes to a stream one text at a time. The listener stays when a write has failed: the stream's own `error` event comes after it,
 * and would end the process if nobody listened.
 */
class Sink {
  readonly #stream: Writable;
  #error: Error | null = null;
  readonly #onError = (error: Error): void => {
    this.#error ??= error;
  };

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on("error", this.#onError);
  }

  /** Resolves when the stream has taken the text. */
  async write(text: string): Promise<void> {
    if (this.#error !== null) throw this.#error;
    if (text === "") return;
    await new Promise<void>((resolve, reject) => {
      this.#stream.write(text, (error) => (error ? reject(error) : resolve()));
    });
  }

  release(): void {
    this.#stream.off("error", this.#onError);
  }
}
