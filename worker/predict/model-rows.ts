import {
  loadRowsForPrediction,
  type PredictionBatch,
  type PredictionRequest,
} from "../../shared/data/load-rows-for-prediction.js";
import type { ModelFacts } from "../../shared/model-file/model-facts.js";
import { forwardRows } from "../engine/forward-rows.js";

/** Rows are read as one batch is computed, so that there are several: of up to 16 MiB each. */
const MOST_BATCH_FLOATS = 4 * 1024 * 1024;

export interface RowsPlace {
  /** CSV or IDX images. */
  readonly dataPath: string;
  /** Labels of IDX images; null: those that lie beside them, if any. */
  readonly labelsPath: string | null;
  readonly signal?: AbortSignal;
}

/** A user's rows as the model takes them, batch by batch. @throws as {@link loadRowsForPrediction} */
export function rowsOf(
  facts: ModelFacts,
  { dataPath, labelsPath, signal }: RowsPlace,
): AsyncGenerator<PredictionBatch, void, undefined> {
  return loadRowsForPrediction({
    path: dataPath,
    labelsPath,
    features: facts.model.inputs,
    image: facts.model.inputShape,
    featureNames: facts.featureNames,
    transform: facts.transform,
    targets: targetsOf(facts),
    labelColumn: facts.labelColumn,
    batchRows: batchRowsOf(facts),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** Rows per forward pass of this model. */
export function batchRowsOf({ model }: Pick<ModelFacts, "model">): number {
  return Math.max(1, Math.min(forwardRows(model), Math.floor(MOST_BATCH_FLOATS / model.inputs)));
}

function targetsOf({ model, classNames }: ModelFacts): PredictionRequest["targets"] {
  if (model.targets.kind === "values") return model.targets;
  if (classNames === null) throw new RangeError("a classifier without class names passed the check of model.json");
  return { kind: "class", classNames };
}
