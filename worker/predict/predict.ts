import type { Writable } from "node:stream";
import { loadRowsForPrediction, type PredictionRequest } from "../../shared/data/load-rows-for-prediction.js";
import type { ModelFacts } from "../../shared/model-file/model-facts.js";
import { readModel } from "../../shared/model-file/read-model.js";
import { createEngine } from "../engine/create-engine.js";
import { type PredictionSummary, predictRows } from "./predict-rows.js";
import type { PredictionFormat } from "./prediction-format.js";

/** Rows per forward pass; fewer when rows are so wide that a batch would take more than 16 MiB. */
const MOST_BATCH_ROWS = 1024;
const MOST_BATCH_FLOATS = 4 * 1024 * 1024;

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
  readonly engine?: string;
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
  await using engine = await createEngine(options.engine ?? "wasm", facts.model, layout);
  const rows = loadRowsForPrediction({
    path: dataPath,
    labelsPath,
    features: facts.model.inputs,
    transform: facts.transform,
    targets: targetsOf(facts),
    labelColumn: facts.labelColumn,
    batchRows: Math.max(1, Math.min(MOST_BATCH_ROWS, Math.floor(MOST_BATCH_FLOATS / facts.model.inputs))),
    ...(signal === undefined ? {} : { signal }),
  });
  const summary = await predictRows({ model, engine, rows, format, output });
  return { ...summary, text: describeSummary(summary) };
}

function targetsOf({ model, classNames }: ModelFacts): PredictionRequest["targets"] {
  if (model.targets.kind === "values") return model.targets;
  if (classNames === null) throw new RangeError("a classifier without class names passed the check of model.json");
  return { kind: "class", classNames };
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
