import type { Writable } from "node:stream";
import type { EngineWish } from "../../shared/engine-name.js";
import { readModel } from "../../shared/model-file/read-model.js";
import { createEngine } from "../engine/create-engine.js";
import { rowsOf } from "./model-rows.js";
import { type PredictionSummary, predictRows } from "./predict-rows.js";
import type { PredictionFormat } from "./prediction-format.js";
import { settledEngine } from "./settled-engine.js";

export interface PredictOptions {
  /** A model directory, its `model.json`, or a run's output directory. */
  readonly modelDirectory: string;
  /** CSV or IDX images. */
  readonly dataPath: string;
  /** Labels of IDX images; null: those that lie beside them, if any. */
  readonly labelsPath: string | null;
  readonly format: PredictionFormat;
  /** Where the predictions go. Not ended here: it may be stdout. */
  readonly output: Writable;
  /** Default `wasm`. */
  readonly engine?: EngineWish;
  /** Of a native engine. Default 1. */
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

export interface PredictOutcome extends PredictionSummary {
  /** The summary for a person, without line end. */
  readonly text: string;
}

/**
 * `ringstrasse predict`: rows in, one line per row out, and what they were worth when the data says what is right. The model is
 * read and checked before anything is written; memory does not grow with the data.
 * @throws RingstrasseError MODEL_INVALID, INPUT_MISSING, DATA_INVALID, DATA_MISMATCH, CHOICE_UNSUPPORTED, ENGINE_UNAVAILABLE, USAGE;
 *   the output's error when it breaks; the signal's reason when aborted.
 */
export async function predict(options: PredictOptions): Promise<PredictOutcome> {
  const { modelDirectory, dataPath, labelsPath, format, output, signal } = options;
  const model = await readModel(modelDirectory);
  const { facts, layout } = model;
  const { name, reason } = await settledEngine(options);
  await using engine = await createEngine(name, facts.model, layout, { threads: options.threads ?? 1 });
  const rows = rowsOf(facts, { dataPath, labelsPath, ...(signal === undefined ? {} : { signal }) });
  const summary = await predictRows({ model, engine, rows, format, output });
  return {
    ...summary,
    text: `${describeSummary(summary)}; engine ${name}${reason === null ? "" : ` (auto: ${reason})`}`,
  };
}

function describeSummary({ rows, accuracy, meanAbsoluteError, loss }: PredictionSummary): string {
  const figures = [
    `${rows} ${rows === 1 ? "row" : "rows"} predicted`,
    ...(accuracy === null ? [] : [`accuracy ${(accuracy * 100).toFixed(2)} %`]),
    ...(meanAbsoluteError === null ? [] : [`mean absolute error ${meanAbsoluteError.toPrecision(4)}`]),
    ...(loss === null ? [] : [`loss ${loss.toPrecision(4)}`]),
  ];
  return figures.join(", ");
}
